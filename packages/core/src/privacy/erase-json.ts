import { formatPath, type JsonObject, type JsonValue } from '@annals/contract';

/** JSON without what was to go, and what went, by the names that readers see. */
export interface JsonErasure {
  readonly value: JsonObject;
  /** `metadata.user.email` for a value; `metadata.users.*` for a key, with all that stood under it. */
  readonly names: readonly string[];
}

/** `root` is the name of the whole object: `metadata` or `details`. */
export interface JsonPlace {
  readonly root: string;
  readonly value: JsonObject;
}

/**
 * Erase what a test finds personal: a string or number becomes null, and a key goes with its value.
 *
 * Everything else stays as it is; where nothing is personal the very same object comes back.
 */
export function eraseJson({ root, value }: JsonPlace, isPersonal: (text: string) => boolean): JsonErasure {
  if (!holdsPersonal(value, isPersonal)) return { value, names: [] };
  const names: string[] = [];
  const erase = (value: JsonValue, path: readonly string[]): JsonValue => {
    const text = leafText(value);
    if (text !== undefined) {
      if (!isPersonal(text)) return value;
      names.push(nameOf(root, path));
      return null;
    }
    if (Array.isArray(value)) return value.map((item, at) => erase(item, [...path, String(at)]));
    if (typeof value !== 'object' || value === null) return value;
    const kept: [string, JsonValue][] = [];
    for (const [key, item] of Object.entries(value)) {
      if (isPersonal(key)) names.push(nameOf(root, [...path, '*']));
      else kept.push([key, erase(item, [...path, key])]);
    }
    // From entries, not by assignment: a key may be called __proto__.
    return Object.fromEntries(kept);
  };
  const erased = erase(value, []) as JsonObject;
  return { value: names.length === 0 ? value : erased, names: [...new Set(names)] };
}

/** Whether there is anything to erase; mostly there is not, and nothing needs to be made anew. */
function holdsPersonal(value: JsonValue, isPersonal: (text: string) => boolean): boolean {
  const text = leafText(value);
  if (text !== undefined) return isPersonal(text);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => holdsPersonal(item, isPersonal));
  return Object.keys(value).some((key) => isPersonal(key) || holdsPersonal(value[key] ?? null, isPersonal));
}

/** The texts in a JSON value, its keys included, with the names of their places. */
export function* jsonTexts({ root, value }: { root: string; value: JsonValue }): Generator<{
  name: string;
  text: string;
}> {
  const stack: { value: JsonValue; path: readonly string[] }[] = [{ value, path: [] }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { value, path } = next;
    const text = leafText(value);
    if (text !== undefined) yield { name: nameOf(root, path), text };
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, item] of Object.entries(value)) {
      if (!Array.isArray(value)) yield { name: nameOf(root, [...path, '*']), text: key };
      stack.push({ value: item, path: [...path, key] });
    }
  }
}

/** Of a scalar that can name somebody, the text. A number with an exponent is nobody's id. */
function leafText(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return undefined;
  const text = String(value);
  return text.includes('e') ? undefined : text;
}

function nameOf(root: string, path: readonly string[]): string {
  return path.length === 0 ? root : `${root}.${formatPath(path)}`;
}

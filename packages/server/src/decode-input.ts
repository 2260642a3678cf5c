import { AnnalsError } from '@annals/contract';

/** Deepest nesting of annotations that is followed; what the contract takes is far flatter. */
const depthMax = 64;

/**
 * An input as superjson wrote it, read without superjson's own reader: that one builds maps, regular
 * expressions, errors and huge integers at a caller's word, and writes wherever a path of theirs leads.
 *
 * Takes   `{ json, meta? }`. Of the annotations, dates, non-finite numbers and undefined. Shared references
 *         are ignored, since the JSON holds a full copy at each place.
 * Errors  `invalid_input` naming the place of anything else.
 */
export function decodeInput(wire: unknown): unknown {
  if (!isRecord(wire) || !Object.hasOwn(wire, 'json')) {
    throw invalid('', 'must be wrapped as {"json": ...}, with superjson\'s "meta" where it holds dates');
  }
  const { json, meta } = wire;
  if (meta === undefined || meta === null) return json;
  if (!isRecord(meta)) throw invalid('meta', 'must be an object');
  if (meta['values'] === undefined) return json;
  // The root stands in a holder, so that it is replaced as any other place.
  const holder = { root: json };
  applyTree(meta['values'], { holder, path: ['root'], escapes: meta['v'] !== undefined });
  return holder.root;
}

interface Place {
  readonly holder: object;
  readonly path: readonly string[];
  /** Whether a backslash in a path is escaped too, as superjson does since its paths carry a version. */
  readonly escapes: boolean;
}

// A tree is [annotation], [annotation, trees of what is inside] or trees by path.
function applyTree(tree: unknown, place: Place): void {
  if (place.path.length > depthMax) throw invalid(nameOf(place), `must nest at most ${depthMax} levels`);
  if (Array.isArray(tree)) {
    // What is inside comes first in superjson too, and only containers that are refused have an inside.
    annotate(place, tree[0]);
  } else if (isRecord(tree)) {
    for (const [key, inner] of Object.entries(tree)) {
      applyTree(inner, { ...place, path: [...place.path, ...splitPath(key, place)] });
    }
  } else {
    throw invalid('meta.values', 'must be annotations as superjson writes them');
  }
}

function annotate(place: Place, annotation: unknown): void {
  const key = place.path.at(-1) as string;
  const parent = parentOf(place);
  const value = parent[key];
  switch (annotation) {
    case 'Date':
      if (typeof value !== 'string') throw invalid(nameOf(place), 'must be the text of a date');
      parent[key] = new Date(value);
      return;
    case 'undefined':
      if (Array.isArray(parent)) parent[key] = undefined;
      else delete parent[key];
      return;
    case 'number':
      parent[key] = nonFinite(place, value);
      return;
    default:
      throw invalid(nameOf(place), `must be JSON or a date, not ${describe(annotation)}`);
  }
}

/** The object that holds the last key of the path; only own properties are ever followed. */
function parentOf(place: Place): Record<string, unknown> {
  let parent: unknown = place.holder;
  for (const [index, key] of place.path.entries()) {
    if (!hasPlace(parent, key)) throw invalid('meta.values', 'must name places that the input has');
    if (index < place.path.length - 1) parent = (parent as Record<string, unknown>)[key];
  }
  return parent as Record<string, unknown>;
}

// Of an array only its items, since writing its length would grow it.
function hasPlace(parent: unknown, key: string): boolean {
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) return false;
  return key !== '__proto__' && !(key === 'length' && Array.isArray(parent));
}

function nonFinite(place: Place, value: unknown): number {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity' || value === '-0')
    return Number(value);
  throw invalid(nameOf(place), 'must be a number');
}

function splitPath(text: string, { escapes }: Place): string[] {
  if (!text.includes('\\')) return text.split('.');
  const keys: string[] = [];
  let key = '';
  for (let index = 0; index < text.length; index += 1) {
    const next = text[index + 1];
    const escaped = text[index] === '\\' && (next === '.' || (escapes && next === '\\'));
    if (escaped) index += 1;
    if (text[index] === '.' && !escaped) {
      keys.push(key);
      key = '';
    } else {
      key += text[index];
    }
  }
  return [...keys, key];
}

function nameOf({ path }: Place): string {
  return path.slice(1).join('.');
}

function describe(annotation: unknown): string {
  const name: unknown = Array.isArray(annotation) ? annotation[0] : annotation;
  return typeof name === 'string' && /^[\w-]{1,32}$/.test(name) ? name : 'something else';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, message: string): AnnalsError {
  return new AnnalsError({ code: 'invalid_input', message, path });
}

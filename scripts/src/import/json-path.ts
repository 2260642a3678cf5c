import type { JsonObject, JsonValue } from '@annals/contract';

/** Where a value was found: the keys as the source writes them, list indexes as text. */
export type JsonPath = readonly string[];

export interface Found {
  readonly value: JsonValue;
  readonly path: JsonPath;
  /** Whether the way there led through a list. */
  readonly inList: boolean;
}

/**
 * The value at `path`, or undefined.
 *
 * With `ignoreCase` a key that is not there as written is looked for in any case; the first such key counts.
 */
export function findPath(
  source: JsonObject,
  path: JsonPath,
  { ignoreCase = false }: { ignoreCase?: boolean } = {},
): Found | undefined {
  let value: JsonValue = source;
  let inList = false;
  const found: string[] = [];
  for (const key of path) {
    if (Array.isArray(value)) {
      const item: JsonValue | undefined = /^\d+$/.test(key) ? value[Number(key)] : undefined;
      if (item === undefined) return undefined;
      value = item;
      inList = true;
      found.push(key);
    } else if (isJsonObject(value)) {
      const actual = actualKey(value, key, ignoreCase);
      if (actual === undefined) return undefined;
      value = value[actual] as JsonValue;
      found.push(actual);
    } else {
      return undefined;
    }
  }
  return { value, path: found, inList };
}

/**
 * A copy without the values at `paths`; an object that they emptied goes too. Lists are kept whole, since a
 * hole in one would move its other items.
 */
export function withoutPaths(source: JsonObject, paths: readonly JsonPath[]): JsonObject {
  const kept = Object.entries(source).flatMap(([key, value]): [string, JsonValue][] => {
    const below = paths.filter(([first]) => first === key).map((path) => path.slice(1));
    if (below.some((path) => path.length === 0)) return [];
    if (below.length === 0 || !isJsonObject(value)) return [[key, value]];
    const rest = withoutPaths(value, below);
    return Object.keys(rest).length === 0 ? [] : [[key, rest]];
  });
  return Object.fromEntries(kept);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function actualKey(object: JsonObject, key: string, ignoreCase: boolean): string | undefined {
  if (Object.hasOwn(object, key)) return key;
  if (!ignoreCase) return undefined;
  const lower = key.toLowerCase();
  return Object.keys(object).find((candidate) => candidate.toLowerCase() === lower);
}

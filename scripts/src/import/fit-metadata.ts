import { type JsonObject, type JsonValue, limits } from '@annals/contract';
import { isJsonObject } from './json-path.ts';

/**
 * Make an object of any shape fit for `metadata` without losing anything: what lies too deep, and the largest
 * top-level values of an object with too many keys, become their JSON text, which search still finds.
 *
 * Strings that cannot be stored are left for the contract to refuse.
 */
export function fitMetadata(object: JsonObject): JsonObject {
  const fitted = foldDeep(object, 0) as JsonObject;
  let excess = countKeys(fitted) - limits.jsonKeysMax;
  if (excess <= 0) return fitted;
  const top = Object.entries(fitted);
  if (top.length > limits.jsonKeysMax) return { json: JSON.stringify(object) };
  const folded = new Map(top);
  for (const [key, value] of top.toSorted((a, b) => countKeys(b[1]) - countKeys(a[1]))) {
    if (excess <= 0) break;
    excess -= countKeys(value);
    // The original, not what is left of it after the first pass.
    folded.set(key, JSON.stringify(object[key]));
  }
  return Object.fromEntries(folded);
}

// `depth` counts the objects and lists around the value, as the limit does.
function foldDeep(value: JsonValue, depth: number): JsonValue {
  if (Array.isArray(value)) {
    if (depth >= limits.jsonDepthMax) return JSON.stringify(value);
    return value.map((item) => foldDeep(item, depth + 1));
  }
  if (!isJsonObject(value)) return value;
  const tooLong = Object.keys(value).some((key) => key.length > limits.jsonKeyLengthMax);
  if (depth >= limits.jsonDepthMax || (tooLong && depth > 0)) return JSON.stringify(value);
  if (tooLong) return { json: JSON.stringify(value) };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, foldDeep(item, depth + 1)]));
}

function countKeys(value: JsonValue): number {
  if (Array.isArray(value)) return value.reduce<number>((count, item) => count + countKeys(item), 0);
  if (!isJsonObject(value)) return 0;
  return Object.values(value).reduce<number>((count, item) => count + 1 + countKeys(item), 0);
}

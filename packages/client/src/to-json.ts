import { AnnalsError } from '@annals/contract';

const depthMax = 64;

/**
 * The JSON of a caller's value, which is a copy that later changes of theirs never reach.
 *
 * As JSON.stringify: dates become their ISO text, what is undefined is left out. But what it would change in
 * silence, as NaN, maps and functions, is refused.
 * Errors  `invalid_input` with the path within `root`.
 */
export function toJson(value: unknown, root = ''): string {
  if (!isUsual(value, 0)) refuseUnsendable(value, root === '' ? [] : [root]);
  return JSON.stringify(value);
}

/** An object literal, or what JSON.parse makes; as which it is told without asking what else it may be. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value);
}

/** Whether nothing about a value needs a closer look: most of what is sent, for a fraction of the time. */
function isUsual(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === undefined || value === null)
    return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (value instanceof Date) {
    return !Number.isNaN(value.getTime()) && value.toJSON === Date.prototype.toJSON;
  }
  if (depth >= depthMax - 1) return false;
  if (Array.isArray(value)) {
    // Which finds holes too.
    if ('toJSON' in value || value.includes(undefined)) return false;
    return value.every((item) => isUsual(item, depth + 1));
  }
  if (!isPlainObject(value)) return false;
  for (const key of Object.keys(value)) if (!isUsual(value[key], depth + 1)) return false;
  return true;
}

function refuseUnsendable(value: unknown, path: readonly (string | number)[]): void {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw invalid(path, 'must be a finite number');
      return;
    case 'bigint':
      throw invalid(path, 'must be a string: JSON holds no integers of any size');
    case 'function':
    case 'symbol':
      throw invalid(path, `must be JSON, not a ${typeof value}`);
    case 'object':
      if (value !== null) refuseInside(value, path);
      return;
    default:
      return;
  }
}

function refuseInside(value: object, path: readonly (string | number)[]): void {
  if (path.length > depthMax) throw invalid(path, `must nest at most ${depthMax} levels`);
  if (value instanceof Date && Number.isNaN(value.getTime())) throw invalid(path, 'must be a valid date');
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    refuseUnsendable((value.toJSON as (key: string) => unknown)(String(path.at(-1) ?? '')), path);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (item === undefined) throw invalid([...path, index], 'must not be undefined in a list');
      refuseUnsendable(item, [...path, index]);
    }
  } else {
    const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
    if (tag !== 'Object') throw invalid(path, `must be JSON, not ${tag}`);
    for (const [key, item] of Object.entries(value)) refuseUnsendable(item, [...path, key]);
  }
}

function invalid(path: readonly (string | number)[], message: string): AnnalsError {
  return new AnnalsError({ code: 'invalid_input', message, path: path.join('.') });
}

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
  refuseUnsendable(value, root === '' ? [] : [root]);
  return JSON.stringify(value);
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

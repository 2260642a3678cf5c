import canonicalize from 'canonicalize';
import { limits } from './limits.ts';
import { encodeText } from './text.ts';
import { TlogError } from './tlog-error.ts';

/**
 * The one text of a JSON value (RFC 8785, JSON Canonicalization Scheme), as UTF-8.
 *
 * Limits  100 levels.
 * Errors  `bad_json` for what JSON cannot tell exactly: NaN and infinities, lone surrogates, undefined,
 *         bigint, functions, holes, objects of a class (dates, maps) and anything with a method `toJSON`.
 *         `JSON.stringify` would drop or change them in silence, and a commitment would then cover less
 *         than the value.
 */
export function canonicalJson(value: unknown): Uint8Array {
  checkJson(value, 0);
  const text = canonicalize(value);
  if (text === undefined) throw new TlogError('bad_json', 'the value is not JSON');
  return encodeText(text);
}

function checkJson(value: unknown, depth: number): void {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') return checkText(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TlogError('bad_json', 'JSON has no NaN and no infinities');
    return;
  }
  if (typeof value !== 'object') throw new TlogError('bad_json', `JSON has no ${typeof value}`);
  // Ends a value that holds itself, too.
  if (depth >= limits.jsonDepthMax) {
    throw new TlogError('bad_json', `the value nests deeper than ${limits.jsonDepthMax} levels`);
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    throw new TlogError('bad_json', 'a value must not bring its own toJSON');
  }
  if (Array.isArray(value)) {
    // By index, since iterating methods pass over holes.
    for (let at = 0; at < value.length; at += 1) checkJson(value[at], depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TlogError('bad_json', 'an object must be a plain one');
  }
  for (const [key, item] of Object.entries(value)) {
    checkText(key);
    checkJson(item, depth + 1);
  }
}

function checkText(text: string): void {
  if (!text.isWellFormed()) throw new TlogError('bad_json', 'a text holds a lone surrogate');
}

import { decodeBase64 } from '../base64.ts';
import { TlogError } from '../tlog-error.ts';

export type JsonObject = { readonly [key: string]: unknown };

/** Levels of a line's JSON: those of what is committed to, and of what stands around it. */
const levelsMax = 200;

/**
 * The object that a text of JSON is.
 *
 * Errors  `bad_line`, also for more than 200 levels and for a name that stands in one object twice: whoever reads
 *         the text by other means might take the other of the two values.
 */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TlogError('bad_line', 'the line is not JSON', { cause });
  }
  const object = toObject(value, 'the line');
  if (namesWithin(object, 1) !== namesIn(text)) {
    throw new TlogError('bad_line', 'an object of the line has one name twice');
  }
  return object;
}

/** How many names the objects within a value have. */
function namesWithin(value: object, level: number): number {
  if (level > levelsMax) throw new TlogError('bad_line', `the line nests deeper than ${levelsMax} levels`);
  const inner: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let count = Array.isArray(value) ? 0 : inner.length;
  for (const each of inner) {
    if (typeof each === 'object' && each !== null) count += namesWithin(each, level + 1);
  }
  return count;
}

/** How many names stand in a text of JSON: its strings that a colon follows. */
function namesIn(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start !== -1; ) {
    let at = text.indexOf('"', start + 1);
    while (isEscaped(text, at)) at = text.indexOf('"', at + 1);
    do at += 1;
    while (isBlank(text.charCodeAt(at)));
    if (text[at] === ':') count += 1;
    start = text.indexOf('"', at);
  }
  return count;
}

function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text[start - 1] === '\\') start -= 1;
  return (at - start) % 2 === 1;
}

function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x09 || character === 0x0a || character === 0x0d;
}

/** Refuse all but an object. */
export function toObject(value: unknown, name: string): JsonObject {
  if (!isObject(value)) throw new TlogError('bad_line', `${name} must be an object`);
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Refuse an object with a member that the format does not give it. */
export function expectKeys(object: JsonObject, keys: readonly string[]): void {
  const other = Object.keys(object).find((key) => !keys.includes(key));
  if (other !== undefined) throw new TlogError('bad_line', `the line has another member: ${quote(other)}`);
}

export function textOf(object: JsonObject, key: string): string {
  const value = object[key];
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw new TlogError('bad_line', `${key} must be a text without lone surrogates`);
  }
  return value;
}

export function booleanOf(object: JsonObject, key: string): boolean {
  const value = object[key];
  if (typeof value !== 'boolean') throw new TlogError('bad_line', `${key} must be true or false`);
  return value;
}

export function integerOf(object: JsonObject, key: string, min = 0): number {
  const value = object[key];
  if (!Number.isSafeInteger(value) || (value as number) < min) {
    throw new TlogError('bad_line', `${key} must be an integer from ${min}`);
  }
  return value as number;
}

export function arrayOf(object: JsonObject, key: string, countMax: number): readonly unknown[] {
  const value = object[key];
  if (!Array.isArray(value) || value.length > countMax) {
    throw new TlogError('bad_line', `${key} must be a list of at most ${countMax}`);
  }
  return value;
}

/** The bytes of a member in base64; `length` of them where it is given. */
export function bytesOf(object: JsonObject, key: string, length?: number): Uint8Array {
  const bytes = decodeBase64(textOf(object, key));
  if (length !== undefined && bytes.length !== length) {
    throw new TlogError('bad_line', `${key} must have ${length} bytes`);
  }
  return bytes;
}

/** A time as `Date.toISOString` writes it: one text for each. */
export function timeOf(object: JsonObject, key: string): Date {
  const time = readTime(textOf(object, key));
  if (time) return time;
  throw new TlogError('bad_line', `${key} must be a time as 2026-01-31T12:00:00.000Z`);
}

/** Several times as fast as to parse the text and to write it again, which bundles have two of a record. */
function readTime(text: string): Date | undefined {
  if (text.length !== 24 || text[4] !== '-' || text[7] !== '-' || text[10] !== 'T') return undefined;
  if (text[13] !== ':' || text[16] !== ':' || text[19] !== '.' || text[23] !== 'Z') return undefined;
  const [month, day] = [digitsAt(text, 5, 7), digitsAt(text, 8, 10)];
  const [hour, minute, second] = [digitsAt(text, 11, 13), digitsAt(text, 14, 16), digitsAt(text, 17, 19)];
  const date = new Date(0);
  date.setUTCFullYear(digitsAt(text, 0, 4), month - 1, day);
  date.setUTCHours(hour, minute, second, digitsAt(text, 20, 23));
  // What is out of range has flowed into what stands before it.
  const isExact =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  return isExact ? date : undefined;
}

/** NaN where there is another character. */
function digitsAt(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** A text of a bundle as a message may quote it: shortened, its control characters escaped. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text).toWellFormed();
}

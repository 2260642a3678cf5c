import { decodeBase64 } from '../base64.ts';
import { TlogError } from '../tlog-error.ts';

export type JsonObject = { readonly [key: string]: unknown };

/** The object that a text of JSON is. Errors: `bad_line`. */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TlogError('bad_line', 'the line is not JSON', { cause });
  }
  return toObject(value, 'the line');
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
  if (typeof value !== 'string') throw new TlogError('bad_line', `${key} must be a text`);
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
  const text = textOf(object, key);
  const time = new Date(text);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== text) {
    throw new TlogError('bad_line', `${key} must be a time as 2026-01-31T12:00:00.000Z`);
  }
  return time;
}

/** A text of a bundle as a message may quote it: shortened, its control characters escaped. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text).toWellFormed();
}

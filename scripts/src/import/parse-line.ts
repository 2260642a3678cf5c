import type { JsonObject, JsonValue } from '@annals/contract';
import { isJsonObject } from './json-path.ts';
import type { Refusal } from './outcome.ts';

/**
 * The JSON object of a line, or what is wrong with it.
 *
 * Numbers that a double would change (integers beyond 2^53, 1e400) are read as text with all their digits.
 */
export function parseLine(text: string): { readonly object: JsonObject } | { readonly refusal: Refusal } {
  let value: JsonValue;
  try {
    value = hasLongNumber.test(text)
      ? (JSON.parse(text, keepDigits) as JsonValue)
      : (JSON.parse(text) as JsonValue);
  } catch (error) {
    return { refusal: { code: 'invalid_input', message: `is not JSON: ${(error as Error).message}` } };
  }
  if (isJsonObject(value)) return { object: value };
  const hint = Array.isArray(value) ? ": put each item on a line of its own, as jq -c '.[]' does" : '';
  return { refusal: { code: 'invalid_input', message: `is not a JSON object${hint}` } };
}

// Sixteen digits, or an exponent: only then can a double lose something, and the reviver costs time.
const hasLongNumber = /\d{16}|\d[eE][+-]?\d/;

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
    ? value
    : context.source;
}

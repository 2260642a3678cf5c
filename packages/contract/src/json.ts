import { z } from 'zod';
import { limits } from './limits.ts';
import { isStorableText } from './text.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

export interface JsonProblem {
  readonly path: (string | number)[];
  readonly message: string;
}

/**
 * Find what makes a value unfit to be stored as JSON, or undefined.
 *
 * Limits  depth `jsonDepthMax`, `jsonKeysMax` keys over all levels, keys of `jsonKeyLengthMax` characters.
 * Refused non-JSON values, U+0000, lone surrogates, NaN and infinities, and integers beyond 2^53, which
 *         JSON readers round in silence: they travel as strings.
 */
export function findJsonProblem(root: unknown): JsonProblem | undefined {
  let keys = 0;
  const walk = (value: unknown, path: (string | number)[]): JsonProblem | undefined => {
    if (value === null || typeof value === 'boolean') return undefined;
    if (typeof value === 'string') {
      return isStorableText(value)
        ? undefined
        : { path, message: 'must not hold U+0000 or a lone surrogate' };
    }
    if (typeof value === 'number') return numberProblem(value, path);
    if (typeof value !== 'object') return { path, message: `must be JSON, not ${typeof value}` };
    if (path.length >= limits.jsonDepthMax) {
      return { path, message: `must nest at most ${limits.jsonDepthMax} levels` };
    }
    if (Array.isArray(value)) return first(value, (item, index) => walk(item, [...path, index]));
    if (!isPlainObject(value)) return { path, message: 'must be a plain object' };
    return first(Object.entries(value), ([key, item]) => {
      keys += 1;
      return keyProblem(key, path, keys) ?? walk(item, [...path, key]);
    });
  };
  return walk(root, []);
}

function numberProblem(value: number, path: (string | number)[]): JsonProblem | undefined {
  if (!Number.isFinite(value)) return { path, message: 'must be a finite number' };
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return { path, message: 'must be a string: the integer is beyond 2^53' };
  }
  return undefined;
}

function keyProblem(key: string, path: (string | number)[], keys: number): JsonProblem | undefined {
  if (keys > limits.jsonKeysMax) return { path, message: `must hold at most ${limits.jsonKeysMax} keys` };
  if (key.length > limits.jsonKeyLengthMax) {
    return { path, message: `must have keys of at most ${limits.jsonKeyLengthMax} characters` };
  }
  if (!isStorableText(key)) return { path, message: 'must have keys without U+0000 or lone surrogates' };
  return undefined;
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function first<T>(items: readonly T[], find: (item: T, index: number) => JsonProblem | undefined) {
  for (const [index, item] of items.entries()) {
    const problem = find(item, index);
    if (problem) return problem;
  }
  return undefined;
}

/** A JSON object of the caller, copied so that later changes to theirs never reach ours. */
export const jsonObject = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'must be a JSON object',
    abort: true,
  })
  .superRefine((value, context) => {
    const problem = findJsonProblem(value);
    if (problem) context.addIssue({ code: 'custom', message: problem.message, path: problem.path });
  })
  .transform((value): JsonObject => structuredClone(value))
  .meta({ title: 'JsonObject' });

/** Any JSON value within the limits of `jsonObject`, copied likewise. */
export const jsonValue = z
  .custom<JsonValue>((value) => value !== undefined, { error: 'must be JSON', abort: true })
  .superRefine((value, context) => {
    const problem = findJsonProblem(value);
    if (problem) context.addIssue({ code: 'custom', message: problem.message, path: problem.path });
  })
  .transform((value): JsonValue => structuredClone(value))
  .meta({ title: 'JsonValue' });

import { z } from 'zod';
import { limits } from '../limits.ts';
import { scalarText } from './value.ts';

/** At most `filterValuesMax` values; of those with equal keys the first is kept. */
export function valueList<Value>(value: z.ZodType<Value>, key: (value: Value) => unknown) {
  return z
    .array(value)
    .max(limits.filterValuesMax, `must be at most ${limits.filterValuesMax} values`)
    .transform((values) => unique(values, key))
    .optional();
}

/** As `valueList`, of texts: a number or a boolean stands for its text. */
export function textList(value: z.ZodType<string>) {
  return valueList(z.preprocess(scalarText, value), (text) => text);
}

/**
 * An object of lists, of which `main` may also be written alone: as one value or as a list. Undefined when it
 * has no values.
 */
export function group<Shape extends z.ZodRawShape>(main: keyof Shape & string, shape: Shape) {
  return z
    .preprocess(
      (input) => (input === undefined || isPlainObject(input) ? input : { [main]: asArray(input) }),
      z.strictObject(shape).transform(withoutEmpty).optional(),
    )
    .optional();
}

/** Without the parts that are undefined or empty lists; undefined when nothing is left. */
export function withoutEmpty<Parts extends object>(parts: Parts): Parts | undefined {
  const kept = Object.entries(parts).filter(([, part]) =>
    Array.isArray(part) ? part.length > 0 : part !== undefined,
  );
  return kept.length > 0 ? (Object.fromEntries(kept) as Parts) : undefined;
}

export function asArray(input: unknown): unknown[] {
  return Array.isArray(input) ? input : [input];
}

/** Other objects (a Date, a Map) have no own keys, so that they would pass for the filter that selects all. */
export function isPlainObject(input: unknown): input is Record<string, unknown> {
  if (typeof input !== 'object' || input === null) return false;
  const prototype: unknown = Object.getPrototypeOf(input);
  return prototype === Object.prototype || prototype === null;
}

function unique<Value>(values: readonly Value[], key: (value: Value) => unknown): Value[] {
  const kept = new Map<unknown, Value>();
  for (const value of values) {
    if (!kept.has(key(value))) kept.set(key(value), value);
  }
  return [...kept.values()];
}

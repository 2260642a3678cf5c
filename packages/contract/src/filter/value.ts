import { z } from 'zod';
import { actionKey } from '../activity/activity-input.ts';
import { limits } from '../limits.ts';
import { isStorableText, moment, text } from '../text.ts';
import type { FilterField, FilterFieldKind } from './fields.ts';

const prefixEnd = '.*';

/** What actions begin with that a value such as `invoice.*` selects (`invoice.`); undefined for a whole action. */
export function actionPrefix(value: string): string | undefined {
  return value.endsWith(prefixEnd) ? value.slice(0, -1) : undefined;
}

/** One value of a field, as text in its canonical form. */
export function fieldValue(field: FilterField): z.ZodType<string> {
  return valueByKind[field.kind](field);
}

const valueByKind: Record<FilterFieldKind, (field: FilterField) => z.ZodType<string>> = {
  text: (field) => text(field.lengthMax),
  enum: (field) => oneOf(field.values ?? []),
  action: (field) =>
    text(field.lengthMax).refine(
      (value) =>
        actionKey.safeParse(value.endsWith(prefixEnd) ? value.slice(0, -prefixEnd.length) : value).success,
      'must be an action as invoice.voided, or a prefix of actions as invoice.*',
    ),
  ip: (field) =>
    text(field.lengthMax)
      .toLowerCase()
      .refine(
        (value) => address.safeParse(value).success,
        'must be an IPv4 or IPv6 address, or a range as 10.0.0.0/8 or 2001:db8::/32',
      ),
  uuid: (field) =>
    text(field.lengthMax)
      .toLowerCase()
      .refine((value) => z.uuid().safeParse(value).success, 'must be a UUID'),
};

const address = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

/** One of a closed list; the refusal names them all. */
export function oneOf<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, `must be one of ${values.join(', ')}`);
}

/** Text compared with JSON, which is kept as it came: not trimmed, and possibly empty. */
export const jsonText = exactText(limits.textLengthMax);

/** A key of a JSON object, likewise. */
export const jsonKey = exactText(limits.jsonKeyLengthMax);

function exactText(max: number) {
  return z
    .string()
    .max(max, `must be at most ${max} characters`)
    .refine(isStorableText, 'must not hold U+0000 or a lone surrogate');
}

/** A word or phrase to look for. */
export const searchText = text(limits.searchTextLengthMax);

const earliest = Date.parse('0001-01-01T00:00:00Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** A moment that has a four-digit year, so that its text is ISO 8601 without extensions. */
export const filterMoment = moment.refine(
  (date) => date.getTime() >= earliest && date.getTime() <= latest,
  'must lie in the years 1 to 9999',
);

/**
 * The text that JSON in the database shows for a scalar: numbers in plain decimals, never with an exponent.
 * What is no scalar, or a number that no record can hold, stays as it is, for the schema to refuse.
 */
export function scalarText(value: unknown): unknown {
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return value;
  if (Number.isInteger(value)) return Number.isSafeInteger(value) ? String(value) : value;
  const [digits = '', exponent] = String(value).split('e-');
  if (exponent === undefined) return digits;
  const sign = digits.startsWith('-') ? '-' : '';
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${digits.replace('-', '').replace('.', '')}`;
}

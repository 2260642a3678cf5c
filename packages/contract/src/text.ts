import { z } from 'zod';

/** PostgreSQL cannot store U+0000, and a lone surrogate has no UTF-8 form: both are refused, never mended. */
export function isStorableText(value: string): boolean {
  return !value.includes('\u0000') && value.isWellFormed();
}

/**
 * A trimmed, non-empty string of at most `max` characters (Unicode code points) that PostgreSQL can store.
 */
export function text(max: number) {
  return z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .refine(isStorableText, 'must not hold U+0000 or a lone surrogate');
}

/** As `text`, but optional, and an empty string counts as absent: callers pass headers through as they come. */
export function optionalText(max: number) {
  return z
    .string()
    .trim()
    .max(max, `must be at most ${max} characters`)
    .refine(isStorableText, 'must not hold U+0000 or a lone surrogate')
    .transform((value) => (value === '' ? undefined : value))
    .optional();
}

export const tenantId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 characters of A-Z a-z 0-9 . _ - and start with a letter or digit',
  );

const momentForm = 'must be a Date or an ISO 8601 time with its zone, as 2026-01-31T12:00:00Z';

/** A moment as a Date or as ISO 8601 text with its zone; kept to the millisecond. */
export const moment = z
  .union([z.date(momentForm), z.iso.datetime({ offset: true, error: momentForm })], momentForm)
  .transform((value) => new Date(value));

import { TlogError } from '../tlog-error.ts';

/** Refuse with `bad_argument` what is not an integer from `min` to `max`. */
export function checkInteger(value: number, { name, min = 0, max = Number.MAX_SAFE_INTEGER }: IntegerBounds) {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new TlogError('bad_argument', `${name} must be an integer from ${min} to ${max}`);
  }
}

export interface IntegerBounds {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
}

/** Floor of the half. Sizes pass 2^32, so that bit operators are not for them. */
export function half(value: number): number {
  return Math.floor(value / 2);
}

export function isOdd(value: number): boolean {
  return value % 2 === 1;
}

/** The largest power of two smaller than `size`, which is at least 2: where RFC 6962 splits a tree. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

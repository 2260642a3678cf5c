import { platform } from '#platform';
import { concatBytes } from '../bytes.ts';
import { encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';

/** Bytes of a record's seed, and of every salt. */
export const saltBytes = 16;

/** 14 bytes that keep hashes of one purpose from being taken for those of another; a number follows. */
export const tags = {
  salt: encodeText('annals/salt/1\0'),
  slot: encodeText('annals/slot/1\0'),
  rest: encodeText('annals/rest/1\0'),
} as const;

export interface Committed {
  readonly salt: Uint8Array;
  readonly value: Uint8Array;
}

/** SHA-256(tag || slot number || salt || value). */
export function commitSlot(number: number, committed: Committed): Uint8Array {
  return hashTagged(tags.slot, number, committed);
}

/** The commitment to what a record shows in place of what was erased of it. */
export function commitRest(committed: Committed): Uint8Array {
  return hashTagged(tags.rest, 0, committed);
}

function hashTagged(tag: Uint8Array, number: number, { salt, value }: Committed): Uint8Array {
  checkSalt(salt);
  return platform.sha256(concatBytes([tag, uint16(number), salt, value]));
}

/** The salts of so many slots: each hash of the seed and a counter gives two. */
export function deriveSalts(seed: Uint8Array, count: number): Uint8Array[] {
  checkSalt(seed);
  return Array.from({ length: Math.ceil(count / 2) }, (_, block) =>
    platform.sha256(concatBytes([tags.salt, uint16(block), seed])),
  )
    .flatMap((hash) => [hash.slice(0, saltBytes), hash.slice(saltBytes)])
    .slice(0, count);
}

export function checkSalt(salt: Uint8Array): void {
  if (salt.length === saltBytes) return;
  throw new TlogError('bad_argument', `a seed or salt has ${saltBytes} bytes, not ${salt.length}`);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255);
}

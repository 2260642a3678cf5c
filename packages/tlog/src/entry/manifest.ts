import { concatBytes } from '../bytes.ts';
import { TlogError } from '../tlog-error.ts';
import { rootOf } from '../tree/compact-range.ts';
import { hashBytes, hashLeaf } from '../tree/hash.ts';
import { checkSalt } from './commitment.ts';
import { slotCountMax } from './entry.ts';

/** What was erased of the record at an index: the latest of several holds. */
export interface ErasureItem {
  /** From 1. */
  readonly epoch: number;
  readonly index: number;
  /** Slots of the entry, and a bit for each of which something was erased, from the lowest of the first byte. */
  readonly slotCount: number;
  readonly slots: Uint8Array;
  /** The commitment to what the record shows in those slots now. */
  readonly rest: Uint8Array;
}

/** Records that were purged, from `start` up to `end`. */
export interface PurgeItem {
  /** From 1. */
  readonly epoch: number;
  readonly start: number;
  readonly end: number;
}

/** A list of what has gone. */
export type Manifest =
  | { readonly kind: 'erasure'; readonly salt: Uint8Array; readonly items: readonly ErasureItem[] }
  | { readonly kind: 'purge'; readonly salt: Uint8Array; readonly items: readonly PurgeItem[] };

/**
 * The RFC 6962 root over the items of a manifest, in the order of epoch and index.
 *
 * Errors  `bad_argument` for items out of order or more than once; those of `hashItem`.
 */
export function manifestRoot(manifest: Manifest): Uint8Array {
  const leaves: Uint8Array[] = [];
  let last = { epoch: 0, end: 0 };
  for (const item of manifest.items) {
    const { epoch } = item;
    const [start, end] = 'start' in item ? [item.start, item.end] : [item.index, item.index + 1];
    const follows = epoch > last.epoch || (epoch === last.epoch && start >= last.end);
    if (!follows) throw new TlogError('bad_argument', 'the items are out of order');
    last = { epoch, end };
    leaves.push(hashItem(manifest.salt, item));
  }
  return rootOf(leaves);
}

/**
 * The leaf hash of one item, under the 16 secret bytes of its manifest: without them it does not tell which record
 * it names.
 *
 * Errors  `bad_argument` for what no item can say: an epoch before the first, a range of nothing, more slots than
 *         an entry has, bits of slots that are not there.
 */
export function hashItem(salt: Uint8Array, item: ErasureItem | PurgeItem): Uint8Array {
  checkSalt(salt);
  return hashLeaf(concatBytes([salt, 'start' in item ? encodePurge(item) : encodeErasure(item)]));
}

const kinds = { erasure: 1, purge: 2 } as const;

function encodePurge({ epoch, start, end }: PurgeItem): Uint8Array {
  const bytes = new Uint8Array(21);
  const view = new DataView(bytes.buffer);
  bytes[0] = kinds.purge;
  view.setUint32(1, checkNumber(epoch, { name: 'an epoch', min: 1, max: 2 ** 32 - 1 }));
  view.setBigUint64(5, BigInt(checkNumber(start, { name: 'a start' })));
  view.setBigUint64(13, BigInt(checkNumber(end, { name: 'an end', min: start + 1 })));
  return bytes;
}

function encodeErasure({ epoch, index, slotCount, slots, rest }: ErasureItem): Uint8Array {
  const bytes = new Uint8Array(15);
  const view = new DataView(bytes.buffer);
  bytes[0] = kinds.erasure;
  view.setUint32(1, checkNumber(epoch, { name: 'an epoch', min: 1, max: 2 ** 32 - 1 }));
  view.setBigUint64(5, BigInt(checkNumber(index, { name: 'an index', max: Number.MAX_SAFE_INTEGER - 1 })));
  view.setUint16(13, checkNumber(slotCount, { name: 'a number of slots', min: 1, max: slotCountMax }));
  const bitsPastEnd = slotCount % 8 === 0 ? 0 : (slots.at(-1) ?? 0) >> (slotCount % 8);
  if (slots.length !== Math.ceil(slotCount / 8) || bitsPastEnd !== 0 || rest.length !== hashBytes) {
    throw new TlogError('bad_argument', 'an item has one bit for each slot, and a rest of 32 bytes');
  }
  return concatBytes([bytes, slots, rest]);
}

interface Bounds {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
}

function checkNumber(value: number, { name, min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new TlogError('bad_argument', `${name} of a manifest is an integer from ${min} to ${max}`);
}

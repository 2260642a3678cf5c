import { concatBytes } from '../bytes.ts';
import { TlogError } from '../tlog-error.ts';
import { rootOf } from '../tree/compact-range.ts';
import { hashLeaf } from '../tree/hash.ts';
import { checkSalt } from './commitment.ts';

/** What was erased of the record at an index: the latest of several holds. */
export interface ErasureItem {
  readonly epoch: number;
  readonly index: number;
  /** Slots of the entry, and a bit for each of which something was erased. */
  readonly slotCount: number;
  readonly slots: Uint8Array;
  readonly rest: Uint8Array;
}

/** Records that were purged, from `start` up to `end`. */
export interface PurgeItem {
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
 * Errors  `bad_argument` for items out of order or more than once.
 */
export function manifestRoot(manifest: Manifest): Uint8Array {
  const leaves: Uint8Array[] = [];
  let last = { epoch: 0, end: 0 };
  for (const item of manifest.items) {
    const { epoch } = item;
    const [start, end] = 'start' in item ? [item.start, item.end] : [item.index, item.index + 1];
    const follows = epoch > last.epoch || (epoch === last.epoch && start >= last.end);
    if (!follows || end <= start) throw new TlogError('bad_argument', 'the items are out of order');
    last = { epoch, end };
    leaves.push(hashItem(manifest.salt, item));
  }
  return rootOf(leaves);
}

/** The leaf hash of one item, under the salt of its manifest. */
export function hashItem(salt: Uint8Array, item: ErasureItem | PurgeItem): Uint8Array {
  checkSalt(salt);
  return hashLeaf(concatBytes([salt, encodeItem(item)]));
}

const itemKinds = { erasure: 1, purge: 2 } as const;

function encodeItem(item: ErasureItem | PurgeItem): Uint8Array {
  if ('start' in item) {
    return concatBytes([
      Uint8Array.of(itemKinds.purge),
      uint32(item.epoch),
      uint64(item.start),
      uint64(item.end),
    ]);
  }
  return concatBytes([
    Uint8Array.of(itemKinds.erasure),
    uint32(item.epoch),
    uint64(item.index),
    uint32(item.slotCount).subarray(2),
    item.slots,
    item.rest,
  ]);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

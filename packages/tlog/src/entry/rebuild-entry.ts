import { TlogError } from '../tlog-error.ts';
import { hashLeaf } from '../tree/hash.ts';
import { alignSlots, type RebuiltSlot } from './align-slots.ts';
import { commitRest, commitSlot, deriveSalts } from './commitment.ts';
import { encodeEntry, presenceOf } from './entry.ts';
import { checkOpenings, isErased, type OpeningSlot, type Openings } from './openings.ts';
import type { LoggedRecord } from './record.ts';
import { restValue } from './rest.ts';
import { type Slot, slotsOf, slotValue } from './slots.ts';

/** What a record is opened with: the seed as long as it is whole, then its openings. */
export type Opening = { readonly seed: Uint8Array } | { readonly openings: Openings };

/** What an erasure has left of a record: the contents of its manifest item. */
export interface ErasedSlots {
  /** A bit for each slot of the entry, set where something of it was erased. */
  readonly slots: Uint8Array;
  /** The commitment to what the record shows in those slots now. */
  readonly rest: Uint8Array;
}

export interface RebuiltEntry {
  readonly bytes: Uint8Array;
  /** The leaf hash: the record is what the log committed to when this is the leaf at its index. */
  readonly leaf: Uint8Array;
  readonly slots: readonly RebuiltSlot[];
  /** Where something was erased and the openings have the salt of the rest, as those stored with records do. */
  readonly erased?: ErasedSlots;
}

/**
 * Compute the entry that a record and its opening lead to. This is the definition of the format; `rebuildEntries`
 * does the same for many, fast.
 *
 * Errors  `record_mismatch` where the record has a value that the opening says is gone, lacks one that it says
 *         is there, has another key, or names erased fields though it comes with a seed; `bad_opening`, `bad_entry`,
 *         `bad_argument`, `bad_text` and `bad_json` for parts that no log can have committed to.
 */
export function rebuildEntry(record: LoggedRecord, opening: Opening): RebuiltEntry {
  const openings = 'seed' in opening ? openingsOf(record, opening.seed) : opening.openings;
  checkOpenings(openings);
  const slots = alignSlots(record, openings);
  const commitments = slots.map(({ number, shown }, at) => {
    const slot = openings.slots[at] as OpeningSlot;
    if (slot.state !== 'open') return slot.commitment;
    return commitSlot(number, { salt: slot.salt, value: slotValue(shown as Slot) });
  });
  const { bitmap, metadata, details, restSalt } = openings;
  const { id, recordedAt, own = false } = record;
  const bytes = encodeEntry({ bitmap, metadata, details, id, recordedAt, own, commitments });
  return {
    bytes,
    leaf: hashLeaf(bytes),
    slots,
    ...(restSalt && { erased: commitErased(record, slots, restSalt) }),
  };
}

/** The openings of a whole record: the salts of its seed. Errors: those of `rebuildEntry`. */
export function openingsOf(record: LoggedRecord, seed: Uint8Array): Openings {
  checkWhole(record);
  const slots = slotsOf(record);
  const salts = deriveSalts(seed, slots.length);
  return { ...presenceOf(slots), slots: salts.map((salt) => ({ state: 'open', salt })) };
}

/** A list of erased fields that no commitment covers would be anybody's. */
export function checkWhole({ erased }: LoggedRecord): void {
  if (erased === undefined || erased.length === 0) return;
  throw new TlogError('record_mismatch', 'the record names erased fields, and opens as a whole one');
}

/** What the manifest item of an erased record says of its slots. */
export function commitErased(
  record: LoggedRecord,
  slots: readonly RebuiltSlot[],
  salt: Uint8Array,
): ErasedSlots {
  return { slots: erasedBits(slots), rest: commitRest({ salt, value: restValue(record, slots) }) };
}

/** A bit for each slot, from the lowest of the first byte. */
export function erasedBits(slots: readonly RebuiltSlot[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(slots.length / 8));
  for (const [at, { state }] of slots.entries()) {
    if (isErased(state)) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return bytes;
}

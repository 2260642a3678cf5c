import { canonicalJson } from '../canonical-json.ts';
import { TlogError } from '../tlog-error.ts';
import { hashLeaf } from '../tree/hash.ts';
import { commitRest, commitSlot, deriveSalts } from './commitment.ts';
import { type Entry, encodeEntry, slotNumbers } from './entry.ts';
import { type OpeningSlot, type Openings, type SlotState } from './openings.ts';
import type { Json, LoggedRecord } from './record.ts';
import { firstKeySlot, fixedSlots, type Slot, slotsOf } from './slots.ts';

/** What a record is opened with: the seed as long as it is whole, then its openings. */
export type Opening = { readonly seed: Uint8Array } | { readonly openings: Openings };

/** A slot of an entry with what the record says of it. */
export interface RebuiltSlot {
  readonly number: number;
  readonly state: SlotState;
  /** What the record shows: the original where it is `open`, else what has taken its place. */
  readonly shown?: Slot;
}

export interface RebuiltEntry {
  readonly bytes: Uint8Array;
  /** The leaf hash: the record is what the log committed to when this is the leaf at its index. */
  readonly leaf: Uint8Array;
  readonly slots: readonly RebuiltSlot[];
  /** Of a record of which something was erased: a bit for each slot, and the commitment to what it shows now. */
  readonly erased?: { readonly slots: Uint8Array; readonly rest: Uint8Array };
}

/**
 * Compute the entry that a record and its opening lead to.
 *
 * Errors  `record_mismatch` where the record has a value that the opening says is gone, lacks one that it says
 *         is there, or has another key.
 */
export function rebuildEntry(record: LoggedRecord, opening: Opening): RebuiltEntry {
  const openings = 'seed' in opening ? openingsOf(record, opening.seed) : opening.openings;
  const slots = alignSlots(record, openings);
  const commitments = slots.map(({ number, shown }, at) => {
    const slot = openings.slots[at] as OpeningSlot;
    if (slot.state !== 'open') return slot.commitment;
    return commitSlot(number, { salt: slot.salt, value: (shown as Slot).value });
  });
  const { bitmap, metadata, details, restSalt } = openings;
  const { id, recordedAt, own = false } = record;
  const entry: Entry = { bitmap, metadata, details, id, recordedAt, own, commitments };
  const bytes = encodeEntry(entry);
  return {
    bytes,
    leaf: hashLeaf(bytes),
    slots,
    ...(restSalt && {
      erased: {
        slots: bitsOf(slots.map(({ state }) => state === 'gone' || state === 'replaced')),
        rest: commitRest({ salt: restSalt, value: restValue(record, slots) }),
      },
    }),
  };
}

/** The openings of a whole record: the salts of its seed. */
export function openingsOf(record: LoggedRecord, seed: Uint8Array): Openings {
  const slots = slotsOf(record);
  const salts = deriveSalts(seed, slots.length);
  return {
    bitmap: slots.reduce((bits, { number }) => (number < 32 ? bits | (1 << number) : bits), 0) >>> 0,
    metadata: slots.filter(({ name }) => name === 'metadata').length,
    details: slots.filter(({ name }) => name === 'details').length,
    slots: salts.map((salt) => ({ state: 'open', salt })),
  };
}

/**
 * The slots of the entry with what the record shows in each. A key of metadata or details that is gone leaves
 * no trace in the record, so that the keys that are left take the other places in their order.
 */
export function alignSlots(record: LoggedRecord, openings: Openings): RebuiltSlot[] {
  const shown = slotsOf(record);
  const fixed = new Map(shown.filter(({ key }) => key === undefined).map((slot) => [slot.number, slot]));
  const keys = {
    metadata: shown.filter(({ name }) => name === 'metadata').values(),
    details: shown.filter(({ name }) => name === 'details').values(),
  };
  const aligned = slotNumbers(openings).map((number, at): RebuiltSlot => {
    const { state } = openings.slots[at] as OpeningSlot;
    const root = number >= firstKeySlot.details ? 'details' : 'metadata';
    const found = number < firstKeySlot.metadata ? take(fixed, number) : nextKey(keys[root], state);
    if (state === 'gone' ? found !== undefined : found === undefined && state !== 'withheld') {
      throw mismatch(`${nameOf(number)} must ${state === 'gone' ? 'not ' : ''}have a value`);
    }
    return { number, state, ...(found && { shown: { ...found, number } }) };
  });
  const extra = [...fixed.values(), ...keys.metadata, ...keys.details][0];
  if (extra) throw mismatch(`${extra.name} has a value that the entry does not have`);
  return aligned;
}

function take(slots: Map<number, Slot>, number: number): Slot | undefined {
  const slot = slots.get(number);
  slots.delete(number);
  return slot;
}

function nextKey(keys: Iterator<Slot>, state: SlotState): Slot | undefined {
  return state === 'gone' ? undefined : keys.next().value;
}

function nameOf(number: number): string {
  return fixedSlots[number] ?? (number >= firstKeySlot.details ? 'details' : 'metadata');
}

function mismatch(message: string): TlogError {
  return new TlogError('record_mismatch', message);
}

/** What is left in the record's erased slots, and what its `erased` says. */
export function restValue(record: LoggedRecord, slots: readonly RebuiltSlot[]): Uint8Array {
  const values: Record<string, Json> = {};
  const keys = { metadata: [] as [string, Json][], details: [] as [string, Json][] };
  for (const { state, shown } of slots) {
    if (state !== 'replaced' || !shown) continue;
    const { name, key, value } = shown;
    if (name === 'tags') values[name] = record.tags;
    else if (key === undefined) values[name] = new TextDecoder().decode(value);
    else keys[name as 'metadata'].push([key, record[name as 'metadata'][key] as Json]);
  }
  for (const [name, entries] of Object.entries(keys)) {
    if (entries.length > 0) values[name] = Object.fromEntries(entries);
  }
  return canonicalJson({ erased: record.erased ?? [], values });
}

/** A bit for each slot, from the lowest of the first byte. */
function bitsOf(flags: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(flags.length / 8));
  for (const [at, flag] of flags.entries()) {
    if (flag) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return bytes;
}

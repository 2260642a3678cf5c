import { hashBytes } from '../tree/hash.ts';
import { alignSlots, type RebuiltSlot } from './align-slots.ts';
import { checkSalt, saltBytes, tags } from './commitment.ts';
import { headerBytes, presenceOf, type SlotPresence, slotCount, writeHeader, writeUint16 } from './entry.ts';
import { type EntryBatch, endMessage } from './entry-batch.ts';
import { checkOpenings, type OpeningSlot, type Openings } from './openings.ts';
import { checkWhole, erasedBits, type Opening } from './rebuild-entry.ts';
import type { LoggedRecord } from './record.ts';
import { restOf } from './rest.ts';
import { type Slot, slotsOf } from './slots.ts';
import { reserve, writeBytes, writeJsonValue, writeValue } from './write-value.ts';

/** A record with what it is opened with. */
export interface Disclosure {
  readonly record: LoggedRecord;
  readonly opening: Opening;
}

/** Where the hashes of an entry are once its batch is hashed. */
export interface StagedEntry {
  readonly leafAt: number;
  readonly erased?: { readonly slots: Uint8Array; readonly restAt: number };
}

/**
 * Write the messages that lead to one more leaf, as `rebuildEntry` defines them.
 *
 * Errors  `OutputFull` without room; some of those of `rebuildEntry`.
 */
export function stageEntry(batch: EntryBatch, { record, opening }: Disclosure): StagedEntry {
  return 'seed' in opening
    ? stageWhole(batch, record, opening.seed)
    : stageOpened(batch, record, opening.openings);
}

function stageWhole(batch: EntryBatch, record: LoggedRecord, seed: Uint8Array): StagedEntry {
  checkWhole(record);
  const slots = slotsOf(record);
  const leafAt = stageLeaf(batch, record, presenceOf(slots));
  const saltsAt = batch.at;
  for (let pair = 0; 2 * pair < slots.length; pair += 1) stageSalts(batch, seed, pair);
  for (let at = 0; at < slots.length; at += 1) {
    const slot = slots[at] as Slot;
    batch.saltMoves.from.push(saltPlace(saltsAt, at));
    batch.saltMoves.to.push(batch.at + tagBytes);
    stageSlot(batch, slot, commitmentAt(leafAt, at));
  }
  return { leafAt };
}

function stageOpened(batch: EntryBatch, record: LoggedRecord, openings: Openings): StagedEntry {
  checkOpenings(openings);
  const slots = alignSlots(record, openings);
  const leafAt = stageLeaf(batch, record, openings);
  for (let at = 0; at < slots.length; at += 1) {
    const slot = openings.slots[at] as OpeningSlot;
    if (slot.state === 'open') {
      batch.bytes.set(slot.salt, batch.at + tagBytes);
      stageSlot(batch, (slots[at] as RebuiltSlot).shown as Slot, commitmentAt(leafAt, at));
    } else batch.bytes.set(slot.commitment, commitmentAt(leafAt, at));
  }
  if (!openings.restSalt) return { leafAt };
  const restAt = stageRest(batch, { record, slots, restSalt: openings.restSalt });
  return { leafAt, erased: { slots: erasedBits(slots), restAt } };
}

export interface Rest {
  readonly record: LoggedRecord;
  readonly slots: readonly RebuiltSlot[];
  readonly restSalt: Uint8Array;
}

/** The message of the commitment to an erased record's rest; returns where its hash will be. */
export function stageRest(batch: EntryBatch, { record, slots, restSalt }: Rest): number {
  checkSalt(restSalt);
  const restAt = beginMessage(batch, tags.rest, 0);
  writeBytes(batch, restSalt);
  writeJsonValue(batch, restOf(record, slots));
  endMessage(batch, 'slots', { start: restAt });
  return restAt;
}

/** Bytes of a slot's message before its salt. */
export const tagBytes = 16;
const saltMessageBytes = 64;

/** Where the salt of a slot is once the salts are hashed, the messages of which begin at `saltsAt`. */
export function saltPlace(saltsAt: number, slot: number): number {
  return saltsAt + (slot >> 1) * saltMessageBytes + (slot & 1) * saltBytes;
}

/** The leaf's message, with room for the commitments. */
function stageLeaf(batch: EntryBatch, record: LoggedRecord, presence: SlotPresence): number {
  const { id, recordedAt, own = false } = record;
  const { bitmap, metadata, details } = presence;
  const start = batch.at;
  const length = commitmentAt(0, slotCount(presence));
  reserve(batch, length);
  writeHeader(batch.bytes, start + 1, { bitmap, metadata, details, id, recordedAt, own });
  batch.at = start + length;
  endMessage(batch, 'leaves', { start });
  return start;
}

function commitmentAt(leafAt: number, slot: number): number {
  return leafAt + 1 + headerBytes + slot * hashBytes;
}

/** The message of two salts. */
export function stageSalts(batch: EntryBatch, seed: Uint8Array, pair: number): void {
  checkSalt(seed);
  const start = beginMessage(batch, tags.salt, pair);
  writeBytes(batch, seed);
  endMessage(batch, 'salts', { start });
}

/** A slot's message; its salt is put there by others. */
export function stageSlot(batch: EntryBatch, slot: Slot, output: number): void {
  const start = beginMessage(batch, tags.slot, slot.number);
  batch.at += saltBytes;
  writeValue(batch, slot);
  endMessage(batch, 'slots', { start, output });
}

function beginMessage(batch: EntryBatch, tag: Uint8Array, number: number): number {
  const start = batch.at;
  writeBytes(batch, tag);
  reserve(batch, 2 + saltBytes);
  writeUint16(batch.bytes, batch.at, number);
  batch.at += 2;
  return start;
}

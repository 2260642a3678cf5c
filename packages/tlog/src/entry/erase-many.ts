import type { HashMemory } from '../sha256/hash-memory.ts';
import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import { alignSlots, type RebuiltSlot } from './align-slots.ts';
import { saltBytes } from './commitment.ts';
import { presenceOf, type SlotPresence } from './entry.ts';
import { type EntryBatch, hashAt } from './entry-batch.ts';
import {
  checkErasing,
  type Erasing,
  eraseSlots,
  refuseWithheld,
  slotsAfter,
  stateAfter,
} from './erase-slots.ts';
import { inBatches } from './in-batches.ts';
import {
  checkOpenings,
  encodeOpenings,
  type OpeningSlot,
  openingsHeader,
  openingsHeaderBytes,
  type SlotState,
  stateNumbers,
} from './openings.ts';
import { checkWhole, type ErasedSlots, erasedBits } from './rebuild-entry.ts';
import { type Slot, slotsOf } from './slots.ts';
import { saltPlace, stageRest, stageSalts, stageSlot, tagBytes } from './stage-entry.ts';

/** What `eraseSlots` leaves of a record, its openings encoded. */
export interface ErasedRecord extends ErasedSlots {
  readonly openings: Uint8Array;
  readonly slotCount: number;
}

/**
 * What `eraseSlots` computes, for many records: what they are opened with then, or the errors with which it
 * refuses them, in their order.
 */
export function eraseMany(erasings: readonly Erasing[], memory?: HashMemory): (ErasedRecord | TlogError)[] {
  return inBatches(erasings, { stage: stageErasure, read: readErased, alone: eraseAlone }, memory);
}

function eraseAlone(erasing: Erasing): ErasedRecord | TlogError {
  try {
    const { openings, slots, rest } = eraseSlots(erasing);
    return { openings: encodeOpenings(openings), slotCount: openings.slots.length, slots, rest };
  } catch (error) {
    if (error instanceof TlogError) return error;
    throw error;
  }
}

/** A slot with the place of its salt or commitment, once the batch is hashed; or with the bytes, as it was. */
interface StagedSlot {
  readonly state: Exclude<SlotState, 'withheld'>;
  readonly source: number | OpeningSlot;
  /** What the record shows afterwards. */
  readonly now: Slot | undefined;
}

interface StagedErasure {
  readonly presence: SlotPresence;
  readonly slots: readonly StagedSlot[];
  readonly erased: Uint8Array;
  readonly restSalt: Uint8Array;
  readonly restAt: number;
}

/** Throws where `eraseSlots` does, and then that is asked. */
function stageErasure(batch: EntryBatch, erasing: Erasing): StagedErasure {
  checkErasing(erasing);
  const { after, opening, restSalt } = erasing;
  const { presence, slots } =
    'seed' in opening
      ? stageWhole(batch, erasing, opening.seed)
      : { presence: opening.openings, slots: stageOpened(batch, erasing, opening.openings) };
  const shown = slots.filter(({ now }) => now).length;
  if (slots[0]?.state !== 'open' || shown !== slotsOf(after).length) {
    throw new TlogError('record_mismatch', 'the record shows something else than less');
  }
  const rebuilt = slots.map(
    ({ state, now }, number): RebuiltSlot => ({ number, state, ...(now && { shown: now }) }),
  );
  const restAt = stageRest(batch, { record: after, slots: rebuilt, restSalt });
  return { presence, slots, erased: erasedBits(rebuilt), restSalt, restAt };
}

function stageWhole(batch: EntryBatch, { before, after }: Erasing, seed: Uint8Array) {
  checkWhole(before);
  const shown = slotsOf(before);
  const saltsAt = batch.at;
  for (let pair = 0; 2 * pair < shown.length; pair += 1) stageSalts(batch, seed, pair);
  const shownAfter = slotsAfter(after);
  const slots = shown.map((slot, at): StagedSlot => {
    const saltAt = saltPlace(saltsAt, at);
    const now = shownAfter(slot);
    const state = stateAfter('open', slot, now);
    if (state === 'open') return { state, source: saltAt, now };
    batch.saltMoves.from.push(saltAt);
    batch.saltMoves.to.push(batch.at + tagBytes);
    return { state, source: stageChanged(batch, slot), now };
  });
  return { presence: presenceOf(shown), slots };
}

function stageOpened(
  batch: EntryBatch,
  { before, after }: Erasing,
  openings: Extract<Erasing['opening'], { openings: unknown }>['openings'],
): StagedSlot[] {
  checkOpenings(openings);
  const shownAfter = slotsAfter(after);
  return alignSlots(before, openings).map(({ shown }, at): StagedSlot => {
    const stored = openings.slots[at] as OpeningSlot;
    refuseWithheld(stored);
    if (!shown) return { state: 'gone', source: stored, now: undefined };
    const now = shownAfter(shown);
    const state = stateAfter(stored.state, shown, now);
    if (state === 'open' || stored.state !== 'open') return { state, source: stored, now };
    batch.bytes.set(stored.salt, batch.at + tagBytes);
    return { state, source: stageChanged(batch, shown), now };
  });
}

/** The hash takes the place of its message. */
function stageChanged(batch: EntryBatch, slot: Slot): number {
  const { at } = batch;
  stageSlot(batch, slot, at);
  return at;
}

function readErased(batch: EntryBatch, staged: StagedErasure): ErasedRecord {
  const { presence, slots, erased, restSalt, restAt } = staged;
  const { bitmap, metadata, details } = presence;
  let length = restSalt.length;
  for (const { state } of slots) length += 1 + lengthOf(state);
  const openings = openingsHeader({ bitmap, metadata, details, restSalt }, length);
  let at = openingsHeaderBytes;
  for (const { state, source } of slots) {
    const bytes = lengthOf(state);
    openings[at] = stateNumbers[state];
    at += 1;
    if (typeof source !== 'number')
      openings.set(source.state === 'open' ? source.salt : source.commitment, at);
    // A loop, since a view of so few bytes costs more.
    else
      for (let byte = 0; byte < bytes; byte += 1) openings[at + byte] = batch.bytes[source + byte] as number;
    at += bytes;
  }
  openings.set(restSalt, at);
  return { openings, slotCount: slots.length, slots: erased, rest: hashAt(batch, restAt) };
}

function lengthOf(state: SlotState): number {
  return state === 'open' ? saltBytes : hashBytes;
}

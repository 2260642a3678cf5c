import type { HashMemory } from '../sha256/hash-memory.ts';
import { TlogError } from '../tlog-error.ts';
import { alignSlots, type RebuiltSlot } from './align-slots.ts';
import { saltBytes } from './commitment.ts';
import { presenceOf, type SlotPresence } from './entry.ts';
import { type EntryBatch, hashAt } from './entry-batch.ts';
import { checkErasing, type Erased, type Erasing, eraseSlots, stateAfter } from './erase-slots.ts';
import { inBatches } from './in-batches.ts';
import { checkOpenings, type OpeningSlot, type Openings, type SlotState } from './openings.ts';
import { checkWhole, erasedBits } from './rebuild-entry.ts';
import { type Slot, slotsOf } from './slots.ts';
import { saltPlace, stageRest, stageSalts, stageSlot, tagBytes } from './stage-entry.ts';

/**
 * What `eraseSlots` computes, for many records: what they are opened with then, or the errors with which it
 * refuses them, in their order.
 */
export function eraseMany(erasings: readonly Erasing[], memory?: HashMemory): (Erased | TlogError)[] {
  return inBatches(erasings, { stage: stageErasure, read: readErased, alone: eraseAlone }, memory);
}

function eraseAlone(erasing: Erasing): Erased | TlogError {
  try {
    return eraseSlots(erasing);
  } catch (error) {
    if (error instanceof TlogError) return error;
    throw error;
  }
}

/** Where a slot's salt or commitment is once the batch is hashed; or what it is already. */
type StagedSlot =
  | { readonly state: 'open'; readonly saltAt: number }
  | { readonly state: Exclude<SlotState, 'open'>; readonly commitmentAt: number }
  | OpeningSlot;

interface StagedErasure {
  readonly presence: SlotPresence;
  readonly slots: readonly StagedSlot[];
  readonly erased: Uint8Array;
  readonly restSalt: Uint8Array;
  readonly restAt: number;
}

/** Throws some of the errors of `eraseSlots`. */
function stageErasure(batch: EntryBatch, erasing: Erasing): StagedErasure {
  checkErasing(erasing);
  const { after, opening, restSalt } = erasing;
  const { presence, slots } =
    'seed' in opening
      ? stageWhole(batch, erasing, opening.seed)
      : { presence: opening.openings, slots: stageOpened(batch, erasing, opening.openings) };
  const { bitmap, metadata, details } = presence;
  // Only the states are looked at.
  const aligned = alignSlots(after, { bitmap, metadata, details, slots: slots as readonly OpeningSlot[] });
  if (slots[0]?.state !== 'open') throw new TlogError('bad_opening', 'the core is always open');
  const restAt = stageRest(batch, { record: after, slots: aligned, restSalt });
  return { presence: { bitmap, metadata, details }, slots, erased: erasedBits(aligned), restSalt, restAt };
}

function stageWhole(batch: EntryBatch, { before, after }: Erasing, seed: Uint8Array) {
  checkWhole(before);
  const shown = slotsOf(before);
  const saltsAt = batch.at;
  for (let pair = 0; 2 * pair < shown.length; pair += 1) stageSalts(batch, seed, pair);
  const states = stateAfter(after);
  const slots = shown.map((slot, at): StagedSlot => {
    const saltAt = saltPlace(saltsAt, at);
    const state = states(slot, 'open');
    if (state === 'open') return { state, saltAt };
    batch.saltMoves.from.push(saltAt);
    batch.saltMoves.to.push(batch.at + tagBytes);
    return { state, commitmentAt: stageChanged(batch, slot) };
  });
  return { presence: presenceOf(shown), slots };
}

function stageOpened(batch: EntryBatch, { before, after }: Erasing, openings: Openings): StagedSlot[] {
  checkOpenings(openings);
  const states = stateAfter(after);
  return alignSlots(before, openings).map(({ number, shown }: RebuiltSlot, at): StagedSlot => {
    const stored = openings.slots[at] as OpeningSlot;
    if (!shown && stored.state !== 'withheld') return stored;
    const state = states(shown, stored.state);
    if (state === 'open') return stored;
    if (stored.state !== 'open') return { state, commitment: stored.commitment };
    batch.bytes.set(stored.salt, batch.at + tagBytes);
    return { state, commitmentAt: stageChanged(batch, { ...(shown as Slot), number }) };
  });
}

/** The hash takes the place of its message. */
function stageChanged(batch: EntryBatch, slot: Slot): number {
  const { at } = batch;
  stageSlot(batch, slot, at);
  return at;
}

function readErased(batch: EntryBatch, { presence, slots, erased, restSalt, restAt }: StagedErasure): Erased {
  const openings: Openings = {
    ...presence,
    slots: slots.map((slot): OpeningSlot => {
      if ('saltAt' in slot) {
        return { state: 'open', salt: batch.bytes.slice(slot.saltAt, slot.saltAt + saltBytes) };
      }
      return 'commitmentAt' in slot
        ? { state: slot.state, commitment: hashAt(batch, slot.commitmentAt) }
        : slot;
    }),
    restSalt,
  };
  checkOpenings(openings);
  return { openings, slots: erased, rest: hashAt(batch, restAt) };
}

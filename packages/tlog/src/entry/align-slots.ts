import { TlogError } from '../tlog-error.ts';
import { slotNumbers } from './entry.ts';
import type { OpeningSlot, Openings, SlotState } from './openings.ts';
import type { LoggedRecord } from './record.ts';
import { firstKeySlot, fixedSlots, type Slot, slotsOf } from './slots.ts';

/** A slot of an entry with what the record says of it. */
export interface RebuiltSlot {
  readonly number: number;
  readonly state: SlotState;
  /** What the record shows: the original where it is `open`, else what has taken its place. */
  readonly shown?: Slot;
}

/**
 * The slots of the entry with what the record shows in each. A key of metadata or details that is gone leaves
 * no trace in the record, so that the keys that are left take the other places in their order. One that is
 * withheld must be shown, under whatever value stands for it.
 *
 * Errors  `record_mismatch` where the record shows a value that is gone, or lacks one that is not.
 */
export function alignSlots(record: LoggedRecord, openings: Openings): RebuiltSlot[] {
  const shown = slotsOf(record);
  let next = 0;
  const aligned = slotNumbers(openings).map((number, at): RebuiltSlot => {
    const { state } = openings.slots[at] as OpeningSlot;
    const slot = shown[next];
    const found = slot && isPlace(slot, number) ? slot : undefined;
    // The record's next key belongs to the next slot that has one.
    if (state === 'gone' && (found === undefined || found.key !== undefined)) return { number, state };
    if (found === undefined ? isShown(number, state) : state === 'gone') {
      throw mismatch(`${nameOf(number)} must ${state === 'gone' ? 'not ' : ''}have a value`);
    }
    if (found === undefined) return { number, state };
    next += 1;
    return { number, state, shown: found.number === number ? found : { ...found, number } };
  });
  const extra = shown[next];
  if (extra) throw mismatch(`${extra.name} has a value that the entry does not have`);
  return aligned;
}

/** Whether what a record shows in a slot can stand at a number: a key's number falls when keys before it go. */
function isPlace(slot: Slot, number: number): boolean {
  if (slot.key === undefined) return slot.number === number;
  return slot.name === nameOf(number);
}

function isShown(number: number, state: SlotState): boolean {
  return state !== 'withheld' || number >= firstKeySlot.metadata;
}

function nameOf(number: number): string {
  return fixedSlots[number] ?? (number >= firstKeySlot.details ? 'details' : 'metadata');
}

function mismatch(message: string): TlogError {
  return new TlogError('record_mismatch', message);
}

import { TlogError } from '../tlog-error.ts';
import { alignSlots, type RebuiltSlot } from './align-slots.ts';
import { commitSlot } from './commitment.ts';
import { checkOpenings, type OpeningSlot, type Openings, type SlotState } from './openings.ts';
import { commitErased, type ErasedSlots, type Opening, openingsOf } from './rebuild-entry.ts';
import type { Json, JsonMap, LoggedRecord } from './record.ts';
import { firstKeySlot, type Slot, slotsOf, slotValue } from './slots.ts';

export interface Erasing {
  readonly before: LoggedRecord;
  /** The record as it is to be stored, with its `erased`. */
  readonly after: LoggedRecord;
  readonly opening: Opening;
  /** 16 random bytes, new for every erasure: they keep what is left from being guessed in its commitment. */
  readonly restSalt: Uint8Array;
}

export interface Erased extends ErasedSlots {
  /** What the record is opened with from now on. */
  readonly openings: Openings;
}

/**
 * Find which slots an erasure changes, and forget what would tell their old values: their salts, and the seed
 * that salts derive from. What remains leads to the same entry.
 *
 * Returns the record's new openings; a bit for each slot of which something was ever erased; and the commitment
 * to what the record shows in them now. Errors: `record_mismatch` where `before` and `opening` disagree, or
 * `after` is not `before` with less in it (another id or time, more slots); `bad_opening` where the core was
 * changed, which is never erased; `bad_argument` for openings that withhold something.
 */
export function eraseSlots({ before, after, opening, restSalt }: Erasing): Erased {
  checkErasing({ before, after });
  const openings = 'seed' in opening ? openingsOf(before, opening.seed) : opening.openings;
  checkOpenings(openings);
  const states = stateAfter(after);
  const slots = alignSlots(before, openings).map((slot, at): OpeningSlot => {
    const stored = openings.slots[at] as OpeningSlot;
    if (!slot.shown && stored.state !== 'withheld') return stored;
    const state = states(slot.shown, stored.state);
    return state === 'open' ? stored : { state, commitment: commitmentOf(slot, stored) };
  });
  const next: Openings = { ...openings, slots, restSalt };
  checkOpenings(next);
  return { openings: next, ...commitErased(after, alignSlots(after, next), restSalt) };
}

/** What an entry says beside its slots stays as it is. */
export function checkErasing({ before, after }: Pick<Erasing, 'before' | 'after'>): void {
  const same =
    before.id === after.id &&
    before.recordedAt.getTime() === after.recordedAt.getTime() &&
    (before.own ?? false) === (after.own ?? false);
  if (!same)
    throw new TlogError('record_mismatch', 'an erasure keeps id, recordedAt and who wrote the record');
}

/** How a slot that shows something is accounted for when the record is stored as it is to be. */
export function stateAfter(after: LoggedRecord) {
  const shownAfter = new Map(slotsOf(after).map((slot) => [placeOf(slot), slot]));
  return (shown: Slot | undefined, state: SlotState): Exclude<SlotState, 'withheld'> => {
    if (state === 'withheld' || !shown) {
      throw new TlogError('bad_argument', 'who erases must know the whole opening');
    }
    const now = shownAfter.get(placeOf(shown));
    if (state === 'open' && now && hasSameValue(now, shown)) return 'open';
    return now ? 'replaced' : 'gone';
  };
}

/** Whether two slots have the same bytes, without making them. */
function hasSameValue(a: Slot, b: Slot): boolean {
  return isSameJson(a.content, b.content);
}

function isSameJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, at) => isSameJson(item as Json, b[at] as Json));
  }
  const [one, other] = [a as JsonMap, b as JsonMap];
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && isSameJson(one[key] as Json, other[key] as Json));
}

function commitmentOf({ number, shown }: RebuiltSlot, stored: OpeningSlot): Uint8Array {
  if (stored.state !== 'open') return stored.commitment;
  return commitSlot(number, { salt: stored.salt, value: slotValue(shown as Slot) });
}

/** Where a slot stands in a record: a key's number changes when others before it go. */
function placeOf({ number, name, key }: Slot): string {
  return number < firstKeySlot.metadata ? name : `${name}.${key}`;
}

import { TlogError } from '../tlog-error.ts';
import { alignSlots, type RebuiltSlot } from './align-slots.ts';
import { commitSlot } from './commitment.ts';
import { checkOpenings, type OpeningSlot, type Openings, type SlotState } from './openings.ts';
import { commitErased, type ErasedSlots, type Opening, openingsOf } from './rebuild-entry.ts';
import type { Json, JsonMap, LoggedRecord } from './record.ts';
import { type Slot, slotsOf, slotValue } from './slots.ts';

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
  const shownAfter = slotsAfter(after);
  const slots = alignSlots(before, openings).map((slot, at): OpeningSlot => {
    const stored = openings.slots[at] as OpeningSlot;
    refuseWithheld(stored);
    if (!slot.shown) return stored;
    const state = stateAfter(stored.state, slot.shown, shownAfter(slot.shown));
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

/** What the record shows afterwards in its slots, to be asked for each that shows something, in their order. */
export function slotsAfter(after: LoggedRecord): (shown: Slot) => Slot | undefined {
  const slots = slotsOf(after);
  let next = 0;
  return (shown) => {
    const now = slots[next];
    // By name and key: a key's number falls when others before it go.
    if (now?.name !== shown.name || now.key !== shown.key) return undefined;
    next += 1;
    return now;
  };
}

/** How a slot is accounted for that was `open` or erased before, and shows `now` afterwards. */
export function stateAfter(
  stored: SlotState,
  shown: Slot,
  now: Slot | undefined,
): Exclude<SlotState, 'withheld'> {
  if (stored === 'open' && now && isSameJson(now.content, shown.content)) return 'open';
  return now ? 'replaced' : 'gone';
}

export function refuseWithheld({ state }: OpeningSlot): void {
  if (state !== 'withheld') return;
  throw new TlogError('bad_argument', 'who erases must know the whole opening');
}

/** Whether two values have the same canonical bytes, without making them. */
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

import { equalBytes } from '../bytes.ts';
import { commitSlot } from './commitment.ts';
import { type OpeningSlot, type Openings } from './openings.ts';
import { alignSlots, type Opening, openingsOf, type RebuiltSlot, rebuildEntry } from './rebuild-entry.ts';
import type { LoggedRecord } from './record.ts';
import { firstKeySlot, type Slot, slotsOf } from './slots.ts';

export interface Erasing {
  readonly before: LoggedRecord;
  /** The record as it is to be stored, with its `erased`. */
  readonly after: LoggedRecord;
  readonly opening: Opening;
  /** 16 random bytes, new for every erasure: they keep what is left from being guessed in its commitment. */
  readonly restSalt: Uint8Array;
}

/**
 * Find which slots an erasure changes, and forget what would tell their old values: their salts, and the seed
 * that salts derive from. What remains leads to the same entry.
 *
 * Returns the record's new openings; a bit for each slot of which something was ever erased; and the commitment
 * to what the record shows in them now. Errors: `record_mismatch` where `before` and `opening` disagree.
 */
export function eraseSlots({ before, after, opening, restSalt }: Erasing) {
  const openings = 'seed' in opening ? openingsOf(before, opening.seed) : opening.openings;
  const shownAfter = indexSlots(slotsOf(after));
  const slots = alignSlots(before, openings).map((slot, at): OpeningSlot => {
    const stored = openings.slots[at] as OpeningSlot;
    if (stored.state === 'gone' || !slot.shown) return stored;
    const now = shownAfter.get(placeOf(slot.shown));
    if (stored.state === 'open' && now && equalBytes(now.value, slot.shown.value)) return stored;
    return { state: now ? 'replaced' : 'gone', commitment: commitmentOf(slot, stored) };
  });
  const next: Openings = { ...openings, slots, restSalt };
  const { erased } = rebuildEntry(after, { openings: next });
  return { openings: next, ...(erased as NonNullable<typeof erased>) };
}

function commitmentOf({ number, shown }: RebuiltSlot, stored: OpeningSlot): Uint8Array {
  if (stored.state !== 'open') return stored.commitment;
  return commitSlot(number, { salt: stored.salt, value: (shown as Slot).value });
}

function indexSlots(slots: readonly Slot[]): Map<string, Slot> {
  return new Map(slots.map((slot) => [placeOf(slot), slot]));
}

/** Where a slot stands in a record: a key's number changes when others before it go. */
function placeOf({ number, name, key }: Slot): string {
  return number < firstKeySlot.metadata ? name : `${name}.${key}`;
}

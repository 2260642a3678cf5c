import { randomBytes } from 'node:crypto';
import { decodeOpenings, encodeOpenings, eraseSlots, type LoggedRecord, saltBytes } from '@annals/tlog';
import { toActivity } from '../activity/row.ts';
import type { Erasure } from './erasure.ts';
import type { LockedRow } from './examine.ts';

export interface RowErasure {
  readonly row: LockedRow;
  readonly erasure: Erasure;
}

/** What opens the record's entry after an erasure, and what the manifest says of it. */
export interface ErasedOpenings {
  readonly openings: Buffer;
  readonly slotCount: number;
  readonly slots: Uint8Array;
  readonly rest: Uint8Array;
}

/**
 * Forget what would tell the values that go: the seed, or their salts.
 *
 * Undefined where the record disagrees with its openings, because it was changed by other means: nothing proves
 * it any more, and that must not keep anybody's data from being erased.
 */
export function eraseOpenings({ row, erasure }: RowErasure): ErasedOpenings | undefined {
  try {
    const { openings, slots, rest } = eraseSlots({
      before: recordOf(row),
      after: recordOf({ ...row, ...erasure.values } as LockedRow),
      opening: row.seed ? { seed: row.seed } : { openings: decodeOpenings(row.openings ?? nothing) },
      restSalt: randomBytes(saltBytes),
    });
    const slotCount = openings.slots.length;
    return { openings: Buffer.from(encodeOpenings(openings)), slotCount, slots, rest };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'TlogError') throw error;
    return undefined;
  }
}

const nothing = new Uint8Array();

function recordOf(row: LockedRow): LoggedRecord {
  return { ...toActivity(row, { personal: true }), own: row.own };
}

import { randomBytes } from 'node:crypto';
import {
  decodeOpenings,
  type Erasing,
  encodeOpenings,
  eraseMany,
  type LoggedRecord,
  saltBytes,
  TlogError,
} from '@annals/tlog';
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
 * Forget what would tell the values that go: the seed of each record, or their salts.
 *
 * Undefined where a record disagrees with its openings, because it was changed by other means: nothing proves it
 * any more, and that must not keep anybody's data from being erased.
 */
export function eraseOpenings(changes: readonly RowErasure[]): (ErasedOpenings | undefined)[] {
  const erasings = changes.map(toErasing);
  const erased = eraseMany(erasings.filter((erasing) => erasing !== undefined)).values();
  return erasings.map((erasing) => {
    const result = erasing && erased.next().value;
    if (!result || result instanceof TlogError) return undefined;
    const { openings, slots, rest } = result;
    return {
      openings: Buffer.from(encodeOpenings(openings)),
      slotCount: openings.slots.length,
      slots,
      rest,
    };
  });
}

function toErasing({ row, erasure }: RowErasure): Erasing | undefined {
  const opening = openingOf(row);
  return (
    opening && {
      before: recordOf(row),
      after: recordOf({ ...row, ...erasure.values } as LockedRow),
      opening,
      restSalt: randomBytes(saltBytes),
    }
  );
}

function openingOf({ seed, openings }: LockedRow): Erasing['opening'] | undefined {
  if (seed) return { seed };
  try {
    return openings ? { openings: decodeOpenings(openings) } : undefined;
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}

function recordOf(row: LockedRow): LoggedRecord {
  return { ...toActivity(row, { personal: true }), own: row.own };
}

import { randomBytes } from 'node:crypto';
import {
  decodeOpenings,
  type ErasedRecord,
  type Erasing,
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

/**
 * Forget what would tell the values that go, the seed of each record or their salts: what opens its entry then, and
 * what the manifest says of it.
 *
 * Undefined where a record disagrees with its openings, because it was changed by other means: nothing proves it
 * any more, and that must not keep anybody's data from being erased.
 */
export function eraseOpenings(changes: readonly RowErasure[]): (ErasedRecord | undefined)[] {
  const salts = randomBytes(changes.length * saltBytes);
  const erasings = changes.map((change, at) =>
    toErasing(change, salts.subarray(at * saltBytes, (at + 1) * saltBytes)),
  );
  const erased = eraseMany(erasings.filter((erasing) => erasing !== undefined)).values();
  return erasings.map((erasing) => {
    const result = erasing && erased.next().value;
    return result instanceof TlogError ? undefined : result;
  });
}

function toErasing({ row, erasure }: RowErasure, restSalt: Uint8Array): Erasing | undefined {
  const opening = openingOf(row);
  return (
    opening && {
      before: recordOf(row),
      after: recordOf({ ...row, ...erasure.values } as LockedRow),
      opening,
      restSalt,
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

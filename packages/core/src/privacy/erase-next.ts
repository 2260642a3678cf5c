import type { JobResult } from '@annals/contract';
import type { RawBuilder } from 'kysely';
import type { ActivityRow } from '../activity/row.ts';
import { every } from '../activity/where.ts';
import type { Clock } from '../clock.ts';
import type { Tx } from '../database/database.ts';
import type { ActiveHolds } from '../hold/active-holds.ts';
import { chunkSize } from '../job/job-work.ts';
import { isErasable } from '../job/own-actions.ts';
import { createTally } from '../plan/tally.ts';
import type { Erasure } from './erasure.ts';
import { examine, type Key, lockRows } from './examine.ts';
import { createRewriter } from './rewrite-rows.ts';

export interface EraseNext {
  readonly after?: Key | undefined;
  /** Milliseconds since 1970, inclusive. */
  readonly until: number;
  /** Which activities are looked at closely. */
  readonly wanted: RawBuilder<boolean>;
  /** What is to go from one of them. */
  readonly erase: (row: ActivityRow) => Erasure | undefined;
  /** The counts so far. */
  readonly result: JobResult;
  readonly clock: Clock;
  readonly holds: ActiveHolds;
}

export interface ErasedNext {
  readonly examined: number;
  readonly last?: Key | undefined;
  readonly result: JobResult;
  /** When what it has changed occurred, in milliseconds since 1970. */
  readonly changed: readonly number[];
  /** The manifest that lists it; absent where nothing has changed. */
  readonly manifestId?: string | undefined;
}

/** While the database writes some, the next are judged. */
const pieceSize = 250;

/** Erase from the next chunk of activities, in the order of time, and count what went and what is held. */
export async function eraseNext(
  tx: Tx,
  { after, until, erase, result, clock, holds, ...range }: EraseNext,
): Promise<ErasedNext> {
  const wanted = every([isErasable, range.wanted]);
  const { examined, last, wanted: keys } = await examine(tx, { after, until, limit: chunkSize, wanted });
  // Locked before they are judged: another run may have erased something else since they were found.
  const rows = await lockRows(tx, keys);
  const tally = createTally(result.counts);
  const rewriter = createRewriter(tx, clock);
  const changed: number[] = [];
  let heldCount = 0;
  for (let at = 0; at < rows.length; at += pieceSize) {
    const found = rows.slice(at, at + pieceSize).flatMap((row) => {
      const erasure = erase(row);
      return erasure ? [{ row, erasure }] : [];
    });
    const held = await holds.among(found.map(({ row }) => row));
    const changes = found.filter(({ row }) => !held.has(String(row['id'])));
    for (const { row, erasure } of changes) {
      for (const name of erasure.names) tally.add(name);
      changed.push(row.occurred_ms);
    }
    heldCount += held.size;
    await rewriter.add(changes);
  }
  const manifestId = await rewriter.end();
  return {
    examined,
    last,
    result: {
      ...result,
      changed: result.changed + changed.length,
      held: result.held + heldCount,
      counts: tally.counts(),
    },
    changed,
    manifestId,
  };
}

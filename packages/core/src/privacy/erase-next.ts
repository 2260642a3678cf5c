import type { JobResult } from '@annals/contract';
import type { RawBuilder } from 'kysely';
import type { ActivityRow } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import { chunkSize } from '../job/job-work.ts';
import { createTally } from '../plan/tally.ts';
import type { Erasure } from './erasure.ts';
import { examine, type Key, readRows } from './examine.ts';
import { rewriteRows } from './rewrite-rows.ts';

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
}

export interface ErasedNext {
  readonly examined: number;
  readonly last?: Key | undefined;
  readonly result: JobResult;
  /** When what it has changed occurred, in milliseconds since 1970. */
  readonly changed: readonly number[];
}

/** Erase from the next chunk of activities, in the order of time, and count what went. */
export async function eraseNext(tx: Tx, { erase, result, ...range }: EraseNext): Promise<ErasedNext> {
  const { examined, last, wanted } = await examine(tx, { ...range, limit: chunkSize });
  // Locked before they are judged: another run may have erased something else since they were found.
  const rows = await readRows(tx, wanted, { lock: true });
  const changes = rows.flatMap((row) => {
    const erasure = erase(row);
    return erasure ? [{ row, erasure }] : [];
  });
  await rewriteRows(tx, changes);
  const tally = createTally(result.counts);
  for (const { erasure } of changes) for (const name of erasure.names) tally.add(name);
  return {
    examined,
    last,
    result: { ...result, changed: result.changed + changes.length, counts: tally.counts() },
    changed: changes.map(({ row }) => row.occurred_ms),
  };
}

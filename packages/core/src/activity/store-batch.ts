import { randomFillSync } from 'node:crypto';
import type { Activity } from '@annals/contract';
import { commitRecords, rootOf, saltBytes, splitHashes } from '@annals/tlog';
import { sql } from 'kysely';
import { v7 } from 'uuid';
import type { Tx } from '../database/database.ts';
import { insertActivities } from './insert-activities.ts';
import type { NewActivity } from './prepare.ts';
import { type ActivityRow, rowColumns, toActivity } from './row.ts';

/** Ends a transaction whose batch met ids that are taken; holds the records that have them. */
export class IdsTaken extends Error {
  readonly activities: readonly Activity[];

  constructor(activities: readonly Activity[]) {
    super('some ids are taken');
    this.name = 'IdsTaken';
    this.activities = activities;
  }
}

/**
 * Insert activities, and the row of the batch that they are. Their partitions must exist.
 *
 * Throws `IdsTaken` when not all of them could be inserted: positions in a batch have no gaps, so the
 * transaction must be undone and tried with what is left. Two that insert the same ids wait for each other
 * in the order of ids, so that neither waits for ever.
 */
export async function storeBatch(
  tx: Tx,
  { activities, recordedAt, own = false }: StoreBatch,
): Promise<NewBatch> {
  const batch = {
    id: v7({ msecs: recordedAt.getTime() }),
    recordedAt,
    own,
    activities: activities.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    seeds: randomFillSync(Buffer.allocUnsafe(activities.length * saltBytes)),
  };
  const inserted = await tx.query(insertActivities(tx.tenantId, batch));
  if (inserted.length < activities.length) {
    const ids = new Set(inserted.map(({ id }) => id));
    throw new IdsTaken(
      await findByIds(
        tx,
        activities.filter(({ id }) => !ids.has(id)),
      ),
    );
  }
  const leaves = Buffer.from(
    commitRecords(
      batch.activities.map((activity) => ({ ...activity, recordedAt, own })),
      batch.seeds,
    ),
  );
  const root = Buffer.from(rootOf(splitHashes(leaves)));
  const times = activities.map(({ occurredAt }) => occurredAt.toISOString()).toSorted();
  await tx.query(
    sql`insert into annals.batch
      (tenant_id, id, size, recorded_at, first_occurred_at, last_occurred_at, root, leaves)
      values (${tx.tenantId}, ${batch.id}, ${activities.length}, ${recordedAt.toISOString()},
        ${times.at(0)}, ${times.at(-1)}, ${root}, ${leaves})`,
  );
  tx.notify('annals_batch');
  return { id: batch.id, root, leaves, ids: batch.activities.map(({ id }) => id) };
}

export interface StoreBatch {
  readonly activities: readonly NewActivity[];
  readonly recordedAt: Date;
  /** Whether Annals itself wrote them. */
  readonly own?: boolean;
}

/** A batch as its receipts tell of it. */
export interface NewBatch {
  readonly id: string;
  readonly root: Buffer;
  /** The leaf hashes one after the other, in the order of the positions. */
  readonly leaves: Buffer;
  /** Of its activities, by position. */
  readonly ids: readonly string[];
}

/** The range of times lets the planner leave out partitions; the join finds each row by its key. */
async function findByIds(tx: Tx, activities: readonly NewActivity[]): Promise<Activity[]> {
  const times = activities.map(({ occurredAt }) => occurredAt.toISOString()).toSorted();
  const rows = await tx.query(
    sql<ActivityRow>`
      select ${rowColumns}
      from unnest(
        ${activities.map(({ occurredAt }) => occurredAt.toISOString())}::timestamptz[],
        ${activities.map(({ id }) => id)}::uuid[]
      ) as wanted (wanted_at, wanted_id)
      join annals.activity on tenant_id = ${tx.tenantId} and occurred_at = wanted_at and id = wanted_id
      where occurred_at between ${times.at(0)} and ${times.at(-1)}`,
  );
  return rows.map((row) => toActivity(row, { personal: true }));
}

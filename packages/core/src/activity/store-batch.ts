import type { Activity } from '@annals/contract';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { batchRowStep } from './batch-write.ts';
import { insertActivities } from './insert-activities.ts';
import type { NewBatch } from './new-batch.ts';
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
 * transaction must be undone and tried with what is left.
 */
export async function storeBatch(tx: Tx, batch: NewBatch): Promise<void> {
  const { activities } = batch;
  const inserted = await tx.query(insertActivities(batch));
  if (inserted.length < activities.length) {
    const ids = new Set(inserted.map(({ id }) => id));
    const taken = activities.filter(({ id }) => !ids.has(id));
    throw new IdsTaken(await findByIds(tx, taken));
  }
  await tx.query(sql.raw(batchRowStep(batch).text));
  tx.notify('annals_batch');
}

/** The range of times lets the planner leave out partitions; the join finds each row by its key. */
async function findByIds(tx: Tx, activities: readonly NewActivity[]): Promise<Activity[]> {
  const rows = await tx.query(
    sql<ActivityRow>`
      select ${rowColumns}
      from unnest(
        ${activities.map(({ occurredAt }) => occurredAt.toISOString())}::timestamptz[],
        ${activities.map(({ id }) => id)}::uuid[]
      ) as wanted (wanted_at, wanted_id)
      join annals.activity on tenant_id = ${tx.tenantId} and occurred_at = wanted_at and id = wanted_id
      where occurred_at between ${timeAt(activities, 0)} and ${timeAt(activities, -1)}`,
  );
  return rows.map((row) => toActivity(row, { personal: true }));
}

/** Activities are in the order of their times. */
function timeAt(activities: readonly NewActivity[], place: number): string | undefined {
  return activities.at(place)?.occurredAt.toISOString();
}

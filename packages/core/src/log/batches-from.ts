import { sql } from 'kysely';
import { epochMs } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import type { LogPlace } from './follower-place.ts';

/** A batch that has its place in the log. */
export interface LoggedBatch {
  readonly id: string;
  readonly epoch: number;
  /** Index of its position 0. */
  readonly firstIndex: number;
  /** How many activities were committed with it; some can have been purged since. */
  readonly size: number;
  /** Bounds of its activities' times, in milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface BatchesFrom {
  readonly place: LogPlace;
  /** Stop before the batch that would make more activities than this, but for the first. */
  readonly activitiesMax: number;
}

const batchesMax = 2_048;

/**
 * The batches of the tenant's log from a place on, in its order: what every consumer of the log reads.
 *
 * A log grows by one transaction after the other, so that nothing ever appears before what was read once. Only an
 * epoch that a restore ended takes entries back: its last ones come again, in the next.
 */
export function batchesFrom(tx: Tx, { place, activitiesMax }: BatchesFrom): Promise<LoggedBatch[]> {
  return tx.query(sql<LoggedBatch>`
    select id, epoch, first_index::float8 as "firstIndex", size,
      ${epochMs(sql.ref('first_occurred_at'))} as "firstMs", ${epochMs(sql.ref('last_occurred_at'))} as "lastMs"
    from (
      select *, sum(size) over (order by epoch, first_index rows between unbounded preceding and current row) as total
      from (
        select id, epoch, first_index, size, first_occurred_at, last_occurred_at from annals.batch
        where tenant_id = ${tx.tenantId} and first_index is not null
          and (epoch, first_index) >= (${place.epoch}::int, ${place.index}::bigint)
        order by epoch, first_index limit ${batchesMax}
      ) as following
    ) as measured
    where total <= ${activitiesMax} or total = size
    order by epoch, first_index`);
}

/** The place behind these batches. */
export function placeAfter(batches: readonly LoggedBatch[], place: LogPlace): LogPlace {
  const last = batches.at(-1);
  return last ? { epoch: last.epoch, index: last.firstIndex + last.size } : place;
}

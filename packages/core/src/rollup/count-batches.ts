import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import type { Rounds } from '../job/start-rounds.ts';
import type { LoggedBatch } from '../log/batches-from.ts';
import type { Follower } from '../log/follow-log.ts';
import { type FollowerOptions, startFollower } from '../log/start-follower.ts';
import { moment } from '../privacy/examine.ts';
import { addCounts, countedColumns } from './add-counts.ts';

/**
 * Counts the activities of each batch as they are when it is taken. What has been erased or purged by then is counted
 * so; what is erased or purged later takes itself out of the counts (`recount`, `forgetDays`).
 */
export const rollupFollower: Follower = {
  name: 'rollup',
  activitiesMax: 16_384,
  // Few large bites cost less than many small ones, and answers are exact before.
  patience: { activities: 8_192, ms: 60_000 },
  take: countBatches,
};

/** Keep the counts of all tenants until `stop`; any number of processes may do so. See `startFollower`. */
export function startRollups(services: Pick<Services, 'db' | 'log'>, options?: FollowerOptions): Rounds {
  return startFollower(services, rollupFollower, options);
}

async function countBatches(tx: Tx, batches: readonly LoggedBatch[]): Promise<void> {
  await addCounts(
    tx,
    sql`
      select occurred_at, ${countedColumns}, 1 as n
      from unnest(${batches.map(({ id }) => id)}::uuid[]) as taken (taken_id)
      join annals.activity on tenant_id = ${tx.tenantId} and batch_id = taken_id
      where occurred_at between ${moment(Math.min(...batches.map(({ firstMs }) => firstMs)))}
        and ${moment(Math.max(...batches.map(({ lastMs }) => lastMs)))}`,
  );
}

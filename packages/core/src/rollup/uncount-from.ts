import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { isBefore, type LogPlace } from '../log/follower-place.ts';
import { addCounts, countedColumns } from './add-counts.ts';
import { lockRollups } from './recount.ts';

/** Take the batches from a place on out of the counts, before their epoch gives them back: they come again. */
export async function uncountFrom(tx: Tx, place: LogPlace): Promise<void> {
  const counted = await lockRollups(tx);
  await addCounts(
    tx,
    sql`
      select occurred_at, ${countedColumns}, -1 as n
      from (
        select id as taken_id from annals.batch
        where tenant_id = ${tx.tenantId} and not ${isBefore(place)} and ${isBefore(counted)}
      ) as taken
      join annals.activity on tenant_id = ${tx.tenantId} and batch_id = taken_id`,
  );
}

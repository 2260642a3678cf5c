import { type RawBuilder, sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { followerPlace, isBefore } from '../log/follower-place.ts';
import { addCounts, countedColumns, groupedRows } from './add-counts.ts';
import { rollupFollower } from './count-batches.ts';
import { lockRollups } from './recount.ts';
import { removeCells } from './remove-emptied.ts';

/** The first day (UTC), as 2026-01-31, from this one on that has activities or counts; undefined behind the last. */
export async function nextDay(tx: Tx, from: string): Promise<string | undefined> {
  const [row] = await tx.query(sql<{ day: string | null }>`
    select least(
      (select (occurred_at at time zone 'UTC')::date from annals.activity
        where tenant_id = ${tx.tenantId} and occurred_at >= ${from}::timestamp at time zone 'UTC'
        order by occurred_at limit 1),
      (select min(day) from annals.rollup where tenant_id = ${tx.tenantId} and day >= ${from}::date))::text as day`);
  return row?.day ?? undefined;
}

/** How many counts of a day are not what its activities make, in the snapshot of the transaction. */
export async function checkDay(tx: Tx, day: string): Promise<number> {
  const [row] = await tx.query(sql<{ differing: number }>`
    with ${groupedRows(tx, await countedOf(tx, day))}, stored as (
      select r.cube, c."values", quarter.slot,
        quarter.count - lag(quarter.count, 1, 0) over (partition by r.cube, r.cell order by quarter.slot) as n
      from annals.rollup r
      cross join lateral unnest(r.slots, r.counts) as quarter (slot, count)
      left join annals.rollup_cell c on c.tenant_id = r.tenant_id and c.id = r.cell and c.cube = r.cube
      where r.tenant_id = ${tx.tenantId} and r.day = ${day}::date
    )
    select count(*)::float8 as differing
    from grouped as due
    full join stored on stored.cube = due.cube and stored."values" = due."values" and stored.slot = due.slot
    where due.n is distinct from stored.n`);
  return row?.differing ?? 0;
}

/** Count a day anew, as the custodian. */
export async function repairDay(tx: Tx, day: string): Promise<void> {
  await lockRollups(tx);
  const gone = await tx.query(sql<{ cell: number }>`
    delete from annals.rollup where tenant_id = ${tx.tenantId} and day = ${day}::date returning cell`);
  await addCounts(tx, await countedOf(tx, day));
  await removeCells(
    tx,
    gone.map(({ cell }) => cell),
  );
}

/** The activities of a day that are counted: those of batches before the place that the rollups have come to. */
async function countedOf(tx: Tx, day: string): Promise<RawBuilder<unknown>> {
  const place = await followerPlace(tx, rollupFollower.name);
  return sql`
    select occurred_at, ${countedColumns}, 1 as n from annals.activity
    where tenant_id = ${tx.tenantId}
      and occurred_at >= ${day}::timestamp at time zone 'UTC'
      and occurred_at < (${day}::date + 1)::timestamp at time zone 'UTC'
      and batch_id not in (select id from annals.batch where tenant_id = ${tx.tenantId} and not ${isBefore(place)})`;
}

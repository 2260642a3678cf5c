import type { StatsInput } from '@annals/contract';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { whereActivity } from '../activity/where.ts';
import type { Context, Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { followLog } from '../log/follow-log.ts';
import { sequenceAll, type TestCore } from '../testing.ts';
import { checkRollups } from './check-rollups.ts';
import { rollupFollower } from './count-batches.ts';
import { countByRollup } from './count-by-rollup.ts';
import { countColumns, sumCounts } from './count-columns.ts';
import type { CountRequest, CountRow } from './count-request.ts';

/** For tests: count all that is in the tenant's log. */
export async function followAll(services: Pick<Services, 'db'>, tenantId: string): Promise<number> {
  for (let total = 0; ; ) {
    const taken = await followLog(services, { tenantId, follower: rollupFollower });
    if (taken === 0) return total;
    total += taken;
  }
}

/** For tests: sequence and count all that is committed for the tenant. */
export async function countAll(core: Pick<TestCore, 'services'>, tenantId: string): Promise<void> {
  await sequenceAll(core, tenantId);
  await followAll(core.services, tenantId);
}

/** For tests: what a GROUP BY on the activities says. */
function countPlainly(tx: Tx, request: CountRequest): Promise<CountRow[]> {
  const { filter, sight } = request;
  return sumCounts(
    tx,
    request,
    sql`select ${countColumns(request)}, 1 as n from annals.activity where ${whereActivity(filter, sight)}`,
  );
}

/** For tests: a request without its sight, and the time zone in which its intervals begin. */
export type ZonedRequest = Omit<CountRequest, 'sight'> & Pick<StatsInput, 'timeZone'>;

/** For tests: what the rollups say, which must be what the activities say. Undefined where they say nothing. */
export async function countBothWays(
  ctx: Context,
  { timeZone, ...rest }: ZonedRequest,
): Promise<CountRow[] | undefined> {
  const request: CountRequest = { ...rest, sight: { tenantId: ctx.tenantId, personal: true } };
  return ctx.db.transaction(
    ctx.tenantId,
    async (tx) => {
      await tx.query(sql`select set_config('TimeZone', ${timeZone}, true)`);
      const counted = await countByRollup(tx, request);
      if (counted) expect(counted, JSON.stringify([timeZone, rest])).toEqual(await countPlainly(tx, request));
      return counted;
    },
    { snapshot: true },
  );
}

/** For tests: that the counts are what the activities make, and that nothing else is kept. */
export async function expectExact(ctx: Context): Promise<void> {
  for (let from: string | undefined = '1970-01-01'; from !== undefined; ) {
    const { next, ...found } = await checkRollups({ ctx, input: { from, repair: false } });
    expect(found).toMatchObject({ differing: [], orphans: 0 });
    from = next;
  }
}

import type { RollupCheckInput, RollupCheckResult } from '@annals/contract';
import { sql } from 'kysely';
import { read } from '../activity/read.ts';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { checkDay, nextDay, repairDay } from './check-day.ts';
import { lockRollups } from './recount.ts';

/** After that, one call leaves the rest of the days to the next. */
const callMs = 2_000;

/**
 * Compare the tenant's counts with its activities, day by day, and with `repair` count anew what differs. Each day is
 * compared in a snapshot of its own, while counting goes on.
 *
 * Returns the days looked at and those that differed, and where to go on; the call that comes to the end also looks for
 * values that no count has any more.
 */
export async function checkRollups({ ctx, input }: Verb<RollupCheckInput>): Promise<RollupCheckResult> {
  const { repair } = input;
  const deadlineMs = performance.now() + callMs;
  const differing: { day: string; counts: number }[] = [];
  let days = 0;
  for (let from = input.from; ; ) {
    const found = await read(ctx, (tx) => lookAt(tx, from), { snapshot: true });
    if (!found) return { days, differing, orphans: await orphansOf({ ctx, input }) };
    const { day, counts } = found;
    days += 1;
    if (counts > 0) differing.push(found);
    if (counts > 0 && repair) await ctx.db.transaction(ctx.tenantId, (tx) => repairDay(tx, day), custodian);
    from = dayAfter(day);
    if (performance.now() > deadlineMs) return { days, differing, orphans: 0, next: from };
  }
}

const custodian = { role: 'custodian' } as const;

async function lookAt(tx: Tx, from: string): Promise<{ day: string; counts: number } | undefined> {
  const day = await nextDay(tx, from);
  return day === undefined ? undefined : { day, counts: await checkDay(tx, day) };
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

/** Cells that no day has: an erasure or a purge leaves none. */
async function orphansOf({ ctx, input: { repair } }: Verb<RollupCheckInput>): Promise<number> {
  const isOrphan = sql`c.tenant_id = ${ctx.tenantId} and not exists (
    select from annals.rollup r where r.tenant_id = c.tenant_id and r.cube = c.cube and r.cell = c.id)`;
  const rows = repair
    ? await ctx.db.transaction(
        ctx.tenantId,
        async (tx) => {
          await lockRollups(tx);
          return tx.query(sql`delete from annals.rollup_cell c where ${isOrphan} returning 1`);
        },
        custodian,
      )
    : await read(ctx, (tx) => tx.query(sql`select from annals.rollup_cell c where ${isOrphan}`));
  return rows.length;
}

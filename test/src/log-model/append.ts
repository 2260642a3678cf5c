import { appendActivities, type Context } from '@annals/core';
import { holdCommits } from '@annals/core/testing';
import { decodeBase64 } from '@annals/tlog';
import { makeActivities } from './activities.ts';
import type { StepOf } from './steps.ts';
import { type Here, withDisturbance } from './with-disturbance.ts';
import { contextOf, type TenantModel } from './world.ts';

/** By one process, or half of it by each at once. */
export async function append(here: Here, { count, both, ...on }: StepOf<'append'>): Promise<void> {
  const halves = both ? [Math.ceil(count / 2), Math.floor(count / 2)] : [count];
  const work = halves.map((part, at) => {
    const by = (on.by + at) % 2;
    const disturbance = at === 0 ? on.disturbance : undefined;
    return withDisturbance(here, { by, disturbance }, (ctx) => appendSome(ctx, here.tenant, part));
  });
  await Promise.all(work);
}

/** Keep the receipts of what was stored. */
export async function appendSome(ctx: Context, tenant: TenantModel, count: number): Promise<void> {
  if (count === 0) return;
  const activities = makeActivities(tenant, { count, now: ctx.clock.now() });
  const { results } = await appendActivities({ ctx, input: { activities } });
  for (const result of results) {
    if (result.status !== 'stored') throw new Error(`not stored: ${JSON.stringify(result)}`);
    const { batchId, position, leaf, id } = result;
    tenant.receipts.push({ tenantId: tenant.tenantId, batchId, position, leaf: decodeBase64(leaf), id });
  }
}

/** A writer that has stored everything and does not commit before a later step. */
export async function openLate({ world, tenant }: Here, { by, count }: StepOf<'open late'>): Promise<void> {
  if (tenant.late.length > 1) return;
  const ctx = contextOf(world, tenant, by);
  const { db, reached, ...writer } = holdCommits(ctx.db);
  const done = appendSome({ ...ctx, db }, tenant, count);
  await Promise.race([reached, done]);
  tenant.late.push({
    by,
    commit: async () => {
      writer.commit();
      await done;
    },
    rollBack: async () => {
      writer.rollBack();
      await done.catch(() => undefined);
    },
  });
}

export async function commitLate({ late }: TenantModel): Promise<void> {
  for (const writer of late.splice(0)) await writer.commit();
}

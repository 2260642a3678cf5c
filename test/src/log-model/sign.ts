import { type Context, openEpochIn, readStoredKeys, retireLogKey } from '@annals/core';
import { sealDueManifests, signAll } from '@annals/core/testing';
import { commitLate } from './append.ts';
import type { StepOf } from './steps.ts';
import { type Here, type On, withDisturbance } from './with-disturbance.ts';
import { contextOf, type TenantModel, type World } from './world.ts';

/** Sequence and sign; both processes at once, where the step says so. */
export async function sign(here: Here, { both, ...on }: StepOf<'sign'>): Promise<void> {
  const { world, tenant } = here;
  const others = both ? [signAs(here, contextOf(world, tenant, 1 - on.by))] : [];
  await Promise.all([...others, withDisturbance(here, on, (ctx) => signAs(here, ctx))]);
}

/** A log is refused just from a restore that lost signed entries until a new epoch is opened. */
export async function signAs({ world, tenant }: Here, services: Context): Promise<void> {
  try {
    await signAll({ services }, { tenantId: tenant.tenantId, dir: world.dir });
  } catch (error) {
    if (!tenant.restored || !(error instanceof Error) || error.name !== 'SigningRefused') throw error;
  }
}

/** Let time pass, and seal what is due. */
export async function seal(here: Here, { minutes, ...on }: StepOf<'seal'>): Promise<void> {
  // Nobody takes an hour to commit.
  for (const each of here.world.tenants) await commitLate(each);
  here.world.core.clock.advance(minutes * 60_000);
  await withDisturbance(here, on, sealDueManifests);
}

/** End the use of the oldest key, where there is another. */
export async function retire({ dir }: World): Promise<void> {
  const active = (await readStoredKeys(dir)).filter(({ status }) => status === 'active');
  const [first] = active;
  if (!first || active.length === 1) return;
  await retireLogKey({ dir, number: first.number }).catch((error: unknown) => {
    // Some log does not know the newer one yet.
    if ((error as { code?: unknown }).code !== 'invalid_input') throw error;
  });
}

/** The database forgets; what was given out meanwhile, and is not in it any more, was lost. */
export async function restore(tenant: TenantModel): Promise<void> {
  const { backup } = tenant;
  if (!backup) return;
  await commitLate(tenant);
  await backup.restore();
  const { log, checkpoints, batchIds } = backup;
  const isBeyond = ({ epoch, size }: { readonly epoch: number; readonly size: number }) =>
    epoch > log.epoch || (epoch === log.epoch && size > log.size);
  tenant.restored =
    backup.restored || tenant.published.some(isBeyond) || isBeyond({ epoch: tenant.epoch, size: 0 });
  tenant.receipts = tenant.receipts.filter(({ batchId }) => batchIds.has(batchId));
  if (!tenant.restored) return;
  // A new epoch cites the last checkpoint that the database still has.
  tenant.held = tenant.held.filter(({ epoch, size }) => checkpoints.has(`${epoch}/${size}`));
}

/** What an operator does after a restore. */
export async function openEpoch(here: Here, on: On): Promise<void> {
  const { world, tenant } = here;
  if (!tenant.restored) return;
  await withDisturbance(here, on, async (ctx) => {
    const opening = { dir: world.dir, tenantId: tenant.tenantId, principal: ctx.principal };
    const { epoch } = await openEpochIn(ctx, opening);
    tenant.epoch = epoch;
    tenant.restored = false;
  });
}

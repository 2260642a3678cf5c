import {
  appendActivities,
  applyAnonymize,
  applyRedact,
  applyRetention,
  type Context,
  createHold,
  listHolds,
  openEpochIn,
  planAnonymize,
  planRedact,
  planRetention,
  readStoredKeys,
  releaseHold,
  retireLogKey,
  rotateLogKey,
  runJob,
  setPolicies,
} from '@annals/core';
import {
  type Disturbance,
  disturb,
  holdCommits,
  sealDueManifests,
  sequenceAll,
  signAll,
} from '@annals/core/testing';
import { decodeBase64, type Receipt } from '@annals/tlog';
import { makeActivities, persons } from './activities.ts';
import { backUp } from './backup.ts';
import type { Step, StepOf } from './steps.ts';
import { contextOf, type TenantModel, type World } from './world.ts';

/** Let one thing happen. What a disturbance makes of it is part of it; any other failure is thrown. */
export async function takeStep(world: World, step: Step): Promise<void> {
  const tenant = world.tenants[step.tenant] as TenantModel;
  switch (step.kind) {
    case 'append':
      return append(world, tenant, step);
    case 'open late':
      return openLate(world, tenant, step);
    case 'commit late':
      return tenant.late.pop()?.commit();
    case 'erase':
      return erase(world, tenant, step);
    case 'purge':
      return purge(world, tenant, step);
    case 'go on':
      return goOn(world, tenant, step);
    case 'hold':
      return hold(world, tenant, step);
    case 'release':
      return release(world, tenant, step);
    case 'sequence':
      return withDisturbance(
        world,
        tenant,
        step,
        async (ctx) => void (await sequenceAll({ services: ctx }, tenant.tenantId)),
      );
    case 'sign':
      return sign(world, tenant, step);
    case 'seal':
      return seal(world, step);
    case 'rotate':
      return void (await rotateLogKey(world.dir));
    case 'retire':
      return retire(world);
    case 'restart':
      return world.restart(step.by);
    case 'back up':
      tenant.backup = await backUp(world.admin, tenant.tenantId);
      return;
    case 'restore':
      return restore(tenant);
    case 'open epoch':
      return openEpoch(world, tenant, step);
  }
}

interface On {
  readonly by: number;
  readonly disturbance: Disturbance | undefined;
}

type Work = (ctx: Context, signal: AbortSignal) => Promise<void>;

/** Only what was disturbed may fail, and only as a database does that cannot be reached. */
async function withDisturbance(
  world: World,
  tenant: TenantModel,
  { by, disturbance }: On,
  work: Work,
): Promise<void> {
  const ctx = contextOf(world, tenant, by);
  const { db, signal, happened } = disturb(ctx.db, world.admin, disturbance);
  try {
    await work({ ...ctx, db }, signal);
  } catch (error) {
    if (!happened() || (error as { code?: unknown }).code !== 'unavailable') throw error;
  }
}

async function append(
  world: World,
  tenant: TenantModel,
  { count, both, ...on }: StepOf<'append'>,
): Promise<void> {
  const halves = both ? [Math.ceil(count / 2), Math.floor(count / 2)] : [count];
  await Promise.all(
    halves.map((part, at) =>
      withDisturbance(
        world,
        tenant,
        { by: (on.by + at) % 2, disturbance: at === 0 ? on.disturbance : undefined },
        (ctx) => appendSome(ctx, tenant, part),
      ),
    ),
  );
}

async function appendSome(ctx: Context, tenant: TenantModel, count: number): Promise<void> {
  if (count === 0) return;
  const activities = makeActivities(tenant, { count, now: ctx.clock.now() });
  const { results } = await appendActivities({ ctx, input: { activities } });
  for (const result of results) {
    if (result.status !== 'stored') throw new Error(`not stored: ${JSON.stringify(result)}`);
    const { batchId, position, leaf, id } = result;
    const receipt: Receipt = { tenantId: tenant.tenantId, batchId, position, leaf: decodeBase64(leaf), id };
    tenant.receipts.push(receipt);
  }
}

async function openLate(
  world: World,
  tenant: TenantModel,
  { by, count }: StepOf<'open late'>,
): Promise<void> {
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

async function erase(world: World, tenant: TenantModel, step: StepOf<'erase'>): Promise<void> {
  const id = persons[step.person] ?? '';
  await commitLate(tenant);
  await withDisturbance(world, tenant, step, async (ctx, signal) => {
    if (step.mode === 'redact') {
      const fields = [['message'], ['metadata.email', 'tags'], ['details', 'actor.label']][step.person] ?? [];
      const { id: planId } = await planRedact({ ctx, input: { query: `actor:${id}`, fields } });
      return run(world, tenant, step, {
        ctx,
        signal,
        job: await applyRedact({ ctx, input: { planId, driftMax: 0 } }),
      });
    }
    const person = { ids: [id], identifiers: [], learn: true, except: [], mode: step.mode };
    const { id: planId } = await planAnonymize({ ctx, input: person });
    return run(world, tenant, step, {
      ctx,
      signal,
      job: await applyAnonymize({ ctx, input: { planId, driftMax: 0 } }),
    });
  });
}

async function purge(world: World, tenant: TenantModel, step: StepOf<'purge'>): Promise<void> {
  await commitLate(tenant);
  await withDisturbance(world, tenant, step, async (ctx, signal) => {
    const { keepDays } = step;
    const policy = { name: 'old', keepDays, since: 'occurredAt' as const, actions: ['invoice.*'] };
    await setPolicies({ ctx, input: { policies: [policy] } });
    const { id: planId } = await planRetention({ ctx });
    return run(world, tenant, step, {
      ctx,
      signal,
      job: await applyRetention({ ctx, input: { planId, driftMax: 0 } }),
    });
  });
}

interface Running {
  readonly ctx: Context;
  readonly signal: AbortSignal;
  readonly job: { readonly id: string };
}

async function run(
  world: World,
  tenant: TenantModel,
  { by, busy }: { readonly by: number; readonly busy: boolean },
  { ctx, signal, job }: Running,
): Promise<void> {
  const running = runJob(ctx, { tenantId: ctx.tenantId, jobId: job.id, signal });
  if (!busy) return void (await running);
  const other = contextOf(world, tenant, 1 - by);
  await Promise.all([
    running,
    appendSome(other, tenant, 60),
    runJob(other, { tenantId: ctx.tenantId, jobId: job.id }),
    (async () => {
      await sequenceAll({ services: other }, tenant.tenantId);
      await signAs(world, tenant, other);
      await sealDueManifests(other);
    })(),
  ]);
}

async function goOn(world: World, tenant: TenantModel, step: StepOf<'go on'>): Promise<void> {
  const { rows } = await world.admin.query<{ id: string }>(
    `select id from annals.job where tenant_id = $1 and status in ('queued', 'running') order by id`,
    [tenant.tenantId],
  );
  for (const { id: jobId } of rows) {
    await withDisturbance(world, tenant, step, async (ctx, signal) => {
      await runJob(ctx, { tenantId: tenant.tenantId, jobId, signal });
    });
  }
}

async function hold(world: World, tenant: TenantModel, { by, over }: StepOf<'hold'>): Promise<void> {
  const ctx = contextOf(world, tenant, by);
  const person = persons[over];
  const input = person
    ? { name: 'claim', person: { ids: [person], identifiers: [], learn: true, except: [] } }
    : { name: 'claim', query: 'action:contract.*' };
  await createHold({ ctx, input });
}

async function release(world: World, tenant: TenantModel, { by }: StepOf<'release'>): Promise<void> {
  const ctx = contextOf(world, tenant, by);
  const { holds } = await listHolds({ ctx, input: { limit: 100 } });
  const active = holds.find(({ releasedAt }) => !releasedAt);
  if (active) await releaseHold({ ctx, input: { id: active.id } });
}

async function sign(world: World, tenant: TenantModel, { both, ...on }: StepOf<'sign'>): Promise<void> {
  const others = both ? [signAs(world, tenant, contextOf(world, tenant, 1 - on.by))] : [];
  await Promise.all([...others, withDisturbance(world, tenant, on, (ctx) => signAs(world, tenant, ctx))]);
}

/** A log is refused just from a restore that lost signed entries until a new epoch is opened. */
export async function signAs(world: World, tenant: TenantModel, services: Context): Promise<void> {
  try {
    await signAll({ services }, { tenantId: tenant.tenantId, dir: world.dir });
  } catch (error) {
    if (!tenant.restored || !(error instanceof Error) || error.name !== 'SigningRefused') throw error;
  }
}

async function seal(world: World, { minutes, ...on }: StepOf<'seal'>): Promise<void> {
  // Nobody takes an hour to commit.
  for (const each of world.tenants) await commitLate(each);
  world.core.clock.advance(minutes * 60_000);
  await withDisturbance(world, world.tenants[on.tenant] as TenantModel, on, sealDueManifests);
}

async function retire(world: World): Promise<void> {
  const active = (await readStoredKeys(world.dir)).filter(({ status }) => status === 'active');
  const [first] = active;
  if (!first || active.length === 1) return;
  await retireLogKey({ dir: world.dir, number: first.number }).catch((error: unknown) => {
    // Some log does not know the newer one yet.
    if ((error as { code?: unknown }).code !== 'invalid_input') throw error;
  });
}

/** The database forgets; what was given out meanwhile, and is not in it any more, was lost. */
async function restore(tenant: TenantModel): Promise<void> {
  const { backup } = tenant;
  if (!backup) return;
  await commitLate(tenant);
  await backup.restore();
  const lost = tenant.held.filter(({ epoch, size }) => !backup.checkpoints.has(`${epoch}/${size}`));
  const isLost = ({ epoch, size }: { epoch: number; size: number }) =>
    lost.some((each) => each.epoch === epoch && each.size === size && !backup.extends(each));
  tenant.restored ||= lost.some(isLost);
  tenant.held = tenant.held.filter((each) => !isLost(each));
  tenant.receipts = tenant.receipts.filter(({ batchId }) => backup.batchIds.has(batchId));
}

export async function openEpoch(world: World, tenant: TenantModel, on: On): Promise<void> {
  if (!tenant.restored) return;
  await withDisturbance(world, tenant, on, async (ctx) => {
    await openEpochIn(ctx, { dir: world.dir, tenantId: tenant.tenantId, principal: ctx.principal });
    tenant.restored = false;
  });
}

export async function commitLate(tenant: TenantModel): Promise<void> {
  for (const writer of tenant.late.splice(0)) await writer.commit();
}

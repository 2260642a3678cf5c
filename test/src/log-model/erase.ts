import {
  applyAnonymize,
  applyRedact,
  applyRetention,
  type Context,
  planAnonymize,
  planRedact,
  planRetention,
  runJob,
  setPolicies,
} from '@annals/core';
import { sealDueManifests, sequenceAll } from '@annals/core/testing';
import { persons } from './activities.ts';
import { appendSome, commitLate } from './append.ts';
import { signAs } from './sign.ts';
import type { StepOf } from './steps.ts';
import { type Here, withDisturbance } from './with-disturbance.ts';
import { contextOf } from './world.ts';

const redacted = [['message'], ['metadata.email', 'tags'], ['details', 'actor.label']];

/** Plan, apply and run an erasure. */
export async function erase(here: Here, step: StepOf<'erase'>): Promise<void> {
  const id = persons[step.person] ?? '';
  await commitLate(here.tenant);
  await withDisturbance(here, step, async (ctx, signal) => {
    if (step.mode === 'redact') {
      const fields = redacted[step.person] ?? [];
      const { id: planId } = await planRedact({ ctx, input: { query: `actor:${id}`, fields } });
      const job = await applyRedact({ ctx, input: { planId, driftMax: 0 } });
      return run(here, step, { ctx, signal, job });
    }
    const person = { ids: [id], identifiers: [], learn: true, except: [], mode: step.mode };
    const { id: planId } = await planAnonymize({ ctx, input: person });
    const job = await applyAnonymize({ ctx, input: { planId, driftMax: 0 } });
    return run(here, step, { ctx, signal, job });
  });
}

/** Plan, apply and run a purge. */
export async function purge(here: Here, step: StepOf<'purge'>): Promise<void> {
  await commitLate(here.tenant);
  await withDisturbance(here, step, async (ctx, signal) => {
    const { keepDays } = step;
    const policy = { name: 'old', keepDays, since: 'occurredAt' as const, actions: ['invoice.*'] };
    await setPolicies({ ctx, input: { policies: [policy] } });
    const { id: planId } = await planRetention({ ctx });
    const job = await applyRetention({ ctx, input: { planId, driftMax: 0 } });
    return run(here, step, { ctx, signal, job });
  });
}

interface Running {
  readonly ctx: Context;
  readonly signal: AbortSignal;
  readonly job: { readonly id: string };
}

async function run(
  { world, tenant }: Here,
  { by, busy }: { readonly by: number; readonly busy: boolean },
  { ctx, signal, job }: Running,
): Promise<void> {
  const { tenantId } = tenant;
  const running = runJob(ctx, { tenantId, jobId: job.id, signal });
  if (!busy) return void (await running);
  const other = contextOf(world, tenant, 1 - by);
  const bringOn = async () => {
    await sequenceAll({ services: other }, tenantId);
    await signAs({ world, tenant }, other);
    await sealDueManifests(other);
  };
  await Promise.all([
    running,
    appendSome(other, tenant, 60),
    runJob(other, { tenantId, jobId: job.id }),
    bringOn(),
  ]);
}

/** Go on with what was left by a process that was killed. */
export async function goOn(here: Here, step: StepOf<'go on'>): Promise<void> {
  const { tenantId } = here.tenant;
  const { rows } = await here.world.admin.query<{ id: string }>(
    `select id from annals.job where tenant_id = $1 and status in ('queued', 'running') order by id`,
    [tenantId],
  );
  for (const { id: jobId } of rows) {
    await withDisturbance(here, step, async (ctx, signal) => {
      await runJob(ctx, { tenantId, jobId, signal });
    });
  }
}

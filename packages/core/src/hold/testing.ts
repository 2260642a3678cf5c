import type { HoldCreateInput, Job, JobKind, Plan } from '@annals/contract';
import type { Context, Services } from '../context.ts';
import { getJob } from '../job/get-job.ts';
import { runJob } from '../job/run-job.ts';
import { applyAnonymize } from '../privacy/apply-anonymize.ts';
import { applyRedact } from '../privacy/apply-redact.ts';
import { planAnonymize } from '../privacy/plan-anonymize.ts';
import { planRedact } from '../privacy/plan-redact.ts';
import { applyRetention } from '../retention/apply-retention.ts';
import { planRetention } from '../retention/plan-retention.ts';
import { createHold } from './create-hold.ts';

/** For tests of holds: whom a hold or an erasure is over. */
export function personOf(id: string, identifiers: string[] = []) {
  return { ids: [id], identifiers, learn: true, except: [] };
}

/** For tests of holds: create one. */
export function hold(ctx: Context, input: Omit<HoldCreateInput, 'name'> & { name?: string }) {
  return createHold({ ctx, input: { name: 'Claim 17', ...input } });
}

const applied = { anonymize: applyAnonymize, redact: applyRedact, retention: applyRetention };

/** For tests of holds: apply a plan, and run its job to its end. */
export async function run(ctx: Context, plan: Plan, services: Services = ctx): Promise<Job> {
  const kind: JobKind = plan.kind;
  const { id } = await applied[kind]({ ctx, input: { planId: plan.id, driftMax: 0 } });
  const outcome = await runJob(services, { tenantId: ctx.tenantId, jobId: id });
  if (outcome !== 'ended') throw new Error(`the job is ${outcome}`);
  return getJob({ ctx, input: { id } });
}

export async function anonymize(ctx: Context, person: ReturnType<typeof personOf>) {
  const plan = await planAnonymize({ ctx, input: { ...person, mode: 'anonymize' } });
  return { plan, job: await run(ctx, plan) };
}

export async function redact(ctx: Context, input: { query?: string; fields: string[] }) {
  const plan = await planRedact({ ctx, input });
  return { plan, job: await run(ctx, plan) };
}

export async function purge(ctx: Context) {
  const plan = await planRetention({ ctx });
  return { plan, job: await run(ctx, plan) };
}

import { AnnalsError, type ApplyInput, type Job, type JobKind } from '@annals/contract';
import { LockMode } from '@mikro-orm/core';
import { v7 } from 'uuid';
import { ensureRecordPartition, recordActivity } from '../activity/record-activity.ts';
import type { Context, Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { enqueue } from '../job/enqueue.ts';
import { JobEntity } from '../job/entity.ts';
import { modeOf, ownActions } from '../job/own-actions.ts';
import { toJob } from '../job/to-job.ts';
import { type PlanSummary, planNotFound } from './create-plan.ts';
import { PlanEntity } from './entity.ts';

/** What applying needs to know of a kind of plan. */
export interface Appliable {
  readonly kind: JobKind;
  /** Count again what the plan counted. */
  readonly recount: (tx: Tx, request: object) => Promise<number>;
}

/**
 * Turn a plan into a job, and hand it to the workers.
 *
 * Errors  `not_found`; `plan_not_open` when it was applied or has expired; `plan_drifted` when the activities
 *         it would change are no longer as many as it counted, by more than `driftMax`.
 */
export async function applyPlan(
  { ctx, input }: Verb<ApplyInput>,
  { kind, recount }: Appliable,
): Promise<Job> {
  const planned = await ctx.db.transaction(ctx.tenantId, (tx) =>
    findOpen({ ctx, tx, kind, id: input.planId }),
  );
  const summary = planned.summary as PlanSummary;
  const activities = await ctx.db.transaction(ctx.tenantId, (tx) => recount(tx, planned.request), {
    snapshot: true,
  });
  refuseDrift({ planned: summary.activities, now: activities, driftMax: input.driftMax });
  await ensureRecordPartition(ctx);
  const job = await ctx.db.transaction(ctx.tenantId, async (tx) => {
    // Locked, so that of two that apply it at once the second finds it applied.
    const plan = await findOpen({ ctx, tx, kind, id: input.planId, lock: true });
    await tx.em.nativeUpdate(PlanEntity, { id: plan.id }, { status: 'applied' });
    return insertJob({ ctx, tx, plan, activities });
  });
  await enqueue(ctx, job);
  return job;
}

interface FindOpen {
  readonly ctx: Context;
  readonly tx: Tx;
  readonly kind: JobKind;
  readonly id: string;
  readonly lock?: boolean;
}

async function findOpen({ ctx, tx, kind, id, lock }: FindOpen) {
  const plan = await tx.em.findOne(
    PlanEntity,
    { id, kind },
    lock ? { lockMode: LockMode.PESSIMISTIC_WRITE } : {},
  );
  if (!plan) throw planNotFound();
  if (plan.status !== 'open') throw notOpen('the plan was applied already; make a new one');
  if (plan.expiresAt <= ctx.clock.now()) throw notOpen('the plan has expired; make a new one');
  return plan;
}

function notOpen(message: string): AnnalsError {
  return new AnnalsError({ code: 'plan_not_open', message, path: 'planId' });
}

function refuseDrift({ planned, now, driftMax }: { planned: number; now: number; driftMax: number }): void {
  if (Math.abs(now - planned) <= driftMax * planned) return;
  throw new AnnalsError({
    code: 'plan_drifted',
    message: `the plan counted ${planned} activities, now there are ${now}; make a new plan, or allow for the drift`,
    path: 'planId',
  });
}

interface InsertJob {
  readonly ctx: Context;
  readonly tx: Tx;
  readonly plan: { readonly id: string; readonly kind: JobKind; readonly request: object };
  readonly activities: number;
}

async function insertJob({ ctx, tx, plan, activities }: InsertJob): Promise<Job> {
  const now = ctx.clock.now();
  const id = v7({ msecs: now.getTime() });
  const requestedId = await recordActivity(tx, ctx, {
    action: ownActions[plan.kind].requested,
    target: { type: 'job', id },
    // Never whom or what the plan names: the record outlives the erasure.
    metadata: { jobId: id, planId: plan.id, mode: modeOf(plan), activities },
  });
  const job = {
    tenantId: ctx.tenantId,
    id,
    planId: plan.id,
    kind: plan.kind,
    status: 'queued' as const,
    cancelRequested: false,
    done: 0,
    total: 0,
    requestedId,
    createdAt: now,
    updatedAt: now,
  };
  await tx.em.insert(JobEntity, job);
  return toJob({
    ...job,
    cursor: null,
    result: null,
    error: null,
    completedId: null,
    manifestIds: null,
    endedAt: null,
  });
}

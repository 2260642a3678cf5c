import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { listJobs } from '../job/list-jobs.ts';
import { type Inspection, inspect, seed } from '../job/testing.ts';
import { applyAnonymize } from '../privacy/apply-anonymize.ts';
import { applyRedact } from '../privacy/apply-redact.ts';
import { planRedact } from '../privacy/plan-redact.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { deleteExpiredPlans } from './delete-expired-plans.ts';

let core: TestCore;
let inspection: Inspection;
beforeAll(async () => {
  core = await openTestCore();
  inspection = await inspect(core);
});
afterAll(async () => {
  await inspection.close();
  await core.close();
});

/** A plan that counts ten activities. */
async function aPlan() {
  const ctx = core.context();
  await seed(
    ctx,
    Array.from({ length: 10 }, () => anActivity()),
  );
  const plan = await planRedact({ ctx, input: { query: 'action:invoice.*', fields: ['message'] } });
  return { ctx, planId: plan.id, plan };
}

const apply = (ctx: Context, planId: string, driftMax = 0) =>
  applyRedact({ ctx, input: { planId, driftMax } });

test('a plan becomes one job, which is handed over, and a record that names nobody', async () => {
  const { ctx, planId, plan } = await aPlan();
  core.enqueued.length = 0;
  const job = await apply(ctx, planId);
  expect(job).toMatchObject({ planId, kind: 'redact', status: 'queued', done: 0, tenantId: ctx.tenantId });
  expect(core.enqueued).toEqual([{ tenantId: ctx.tenantId, jobId: job.id }]);
  expect(plan.expiresAt.getTime() - plan.createdAt.getTime()).toBe(3_600_000);
  const [record] = await inspection.query(
    `select actor_id, target_type, target_id, metadata from annals.activity
      where tenant_id = $1 and action = 'erasure.requested'`,
    [ctx.tenantId],
  );
  expect(record).toEqual({
    actor_id: 'key:test000000000000',
    target_type: 'job',
    target_id: job.id,
    metadata: { jobId: job.id, planId, mode: 'redact', activities: 10 },
  });
});

test('of many that apply one plan at once, one gets a job', async () => {
  const { ctx, planId } = await aPlan();
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => apply(ctx, planId)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'plan_not_open' });
  }
  expect((await listJobs({ ctx, input: { limit: 10 } })).jobs).toHaveLength(1);
});

test('a plan expires after an hour, and maintenance deletes it', async () => {
  const { ctx, planId } = await aPlan();
  const applied = await aPlan();
  await apply(applied.ctx, applied.planId);
  core.clock.advance(3_600_000 - 1);
  await deleteExpiredPlans(core.services);
  core.clock.advance(1);
  await expect(apply(ctx, planId)).rejects.toMatchObject({ code: 'plan_not_open', path: 'planId' });
  await deleteExpiredPlans(core.services);
  await expect(apply(ctx, planId)).rejects.toMatchObject({ code: 'not_found' });
  const left = await inspection.query('select id from annals.plan where id = $1', [applied.planId]);
  expect(left).toHaveLength(1);
});

test('a world that has moved refuses the plan with both numbers, within the drift allowed it does not', async () => {
  const { ctx, planId } = await aPlan();
  await seed(ctx, [anActivity()]);
  await expect(apply(ctx, planId)).rejects.toMatchObject({
    code: 'plan_drifted',
    message: expect.stringMatching(/counted 10 activities, now there are 11/),
  });
  await expect(apply(ctx, planId, 0.09)).rejects.toMatchObject({ code: 'plan_drifted' });
  await expect(apply(ctx, planId, 0.1)).resolves.toMatchObject({ status: 'queued' });
});

test('a plan of another tenant, of another kind, and one that never was look the same', async () => {
  const { ctx, planId } = await aPlan();
  const refusals = await Promise.allSettled([
    apply(core.context(), planId),
    applyAnonymize({ ctx, input: { planId, driftMax: 0 } }),
    apply(ctx, '00000000-0000-7000-8000-000000000000'),
  ]);
  const [first, ...others] = refusals.map((each) => (each.status === 'rejected' ? { ...each.reason } : each));
  expect(first).toMatchObject({ code: 'not_found' });
  for (const other of others) expect(other).toEqual(first);
});

test('a queue that fails loses no job', async () => {
  const { ctx, planId } = await aPlan();
  const queue = { enqueue: () => Promise.reject(new Error('no queue')) };
  const job = await apply({ ...ctx, queue }, planId);
  expect((await listJobs({ ctx, input: { limit: 1 } })).jobs).toEqual([job]);
});

import type { RetentionPolicy } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { getJob } from '../job/get-job.ts';
import { runJob } from '../job/run-job.ts';
import { type Inspection, inspect, seed } from '../job/testing.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { applyRetention } from './apply-retention.ts';
import { listPolicies } from './list-policies.ts';
import { planRetention } from './plan-retention.ts';
import { setPolicies } from './set-policies.ts';

// A database each: whether a month can be dropped depends on all tenants.
let core: TestCore;
let inspection: Inspection;
const close = async () => {
  await inspection?.close();
  await core?.close();
};
beforeEach(async () => {
  await close();
  core = await openTestCore();
  inspection = await inspect(core);
});
afterAll(close);

const policy = (fields: Partial<RetentionPolicy> & { name: string }): RetentionPolicy => ({
  keepDays: 30,
  since: 'occurredAt',
  ...fields,
});

/** So many days before the clock of the tests, 2026-06-15. */
const daysAgo = (days: number) => new Date(Date.UTC(2026, 5, 15, 11) - days * 86_400_000);

async function purge(ctx: Context) {
  const plan = await planRetention({ ctx });
  const { id } = await applyRetention({ ctx, input: { planId: plan.id, driftMax: 0 } });
  expect(await runJob(core.services, { tenantId: ctx.tenantId, jobId: id })).toBe('ended');
  return { plan, job: await getJob({ ctx, input: { id } }) };
}

async function partitions(): Promise<string[]> {
  const rows = await inspection.query<{ name: string }>(
    `select relname as name from pg_class c join pg_inherits i on i.inhrelid = c.oid
      where i.inhparent = 'annals.activity'::regclass order by 1`,
  );
  return rows.map(({ name }) => name);
}

const left = async (ctx: Context) => (await inspection.rows(ctx.tenantId)).map((row) => row['message']);

test('policies are replaced together, keep their order, and their change is recorded', async () => {
  const ctx = core.context();
  expect(await listPolicies({ ctx })).toEqual({ policies: [] });
  const first = [policy({ name: 'z', kinds: ['auth'] }), policy({ name: 'a', keepDays: 7 })];
  expect(await setPolicies({ ctx, input: { policies: first } })).toEqual({ policies: first });
  expect(await listPolicies({ ctx })).toEqual({ policies: first });
  await setPolicies({ ctx, input: { policies: [policy({ name: 'a', keepDays: 8 })] } });
  expect(await listPolicies({ ctx })).toEqual({ policies: [policy({ name: 'a', keepDays: 8 })] });
  await setPolicies({ ctx, input: { policies: [] } });
  expect(await listPolicies({ ctx })).toEqual({ policies: [] });
  expect(await listPolicies({ ctx: core.context() })).toEqual({ policies: [] });
  const records = await inspection.query(
    `select metadata from annals.activity where tenant_id = $1 and action = 'annals.policies_changed' order by id`,
    [ctx.tenantId],
  );
  expect(records).toHaveLength(3);
  expect(records).toContainEqual({ metadata: { before: { z: 30, a: 7 }, after: { a: 8 } } });
});

test('the first policy that matches decides; what none matches is kept for ever', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({
      message: 'old login',
      action: 'user.login',
      kind: 'auth' as const,
      occurredAt: daysAgo(100),
    }),
    anActivity({
      message: 'new login',
      action: 'user.login',
      kind: 'auth' as const,
      occurredAt: daysAgo(20),
    }),
    anActivity({ message: 'old error', severity: 'error' as const, occurredAt: daysAgo(50) }),
    anActivity({ message: 'old invoice', occurredAt: daysAgo(50) }),
    anActivity({ message: 'older invoice', occurredAt: daysAgo(70) }),
    anActivity({ message: 'exact', action: 'a.b', occurredAt: daysAgo(50) }),
    anActivity({ message: 'not a prefix', action: 'a.bc', occurredAt: daysAgo(50) }),
    anActivity({ message: 'unmatched', action: 'x.y', occurredAt: daysAgo(4_000) }),
  ]);
  const policies = [
    policy({ name: 'logins', kinds: ['auth'], keepDays: 90 }),
    policy({ name: 'errors', severities: ['error', 'critical'], keepDays: 1_000 }),
    policy({ name: 'invoices', actions: ['invoice.*', 'a.b'], keepDays: 60 }),
    policy({ name: 'also', actions: ['invoice.*'], keepDays: 10 }),
    policy({ name: 'never', kinds: ['auth'], severities: ['info'], actions: ['user.login'], keepDays: 1 }),
  ];
  await setPolicies({ ctx, input: { policies } });
  const { plan, job } = await purge(ctx);
  expect(plan).toMatchObject({
    kind: 'retention',
    confirm: ctx.tenantId,
    activities: 2,
    byPolicy: [
      { name: 'logins', count: 1 },
      { name: 'errors', count: 0 },
      { name: 'invoices', count: 1 },
      { name: 'also', count: 0 },
      { name: 'never', count: 0 },
    ],
    byMonth: [
      { name: '2026-03', count: 1 },
      { name: '2026-04', count: 1 },
    ],
  });
  expect(plan.sampleIds).toHaveLength(2);
  expect(new Set(await left(ctx))).toEqual(
    new Set(['unmatched', 'exact', 'new login', 'not a prefix', 'old error', 'old invoice']),
  );
  expect(job.result?.changed).toBe(2);
  const [record] = await inspection.query(
    `select metadata from annals.activity where tenant_id = $1 and action = 'retention.applied'`,
    [ctx.tenantId],
  );
  expect(record).toMatchObject({ metadata: { changed: 2, policies: { logins: 1, invoices: 1 } } });
});

test('days count from when it was recorded, where the policy says so', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ message: 'imported', occurredAt: daysAgo(400) })]);
  await setPolicies({ ctx, input: { policies: [policy({ name: 'all', since: 'recordedAt' })] } });
  expect((await planRetention({ ctx })).activities).toBe(0);
  core.clock.advance(31 * 86_400_000);
  expect((await purge(ctx)).job.result?.changed).toBe(1);
  expect(await left(ctx)).toEqual([]);
});

test("Annals' own records go only by a policy that names them", async () => {
  const ctx = core.context();
  await setPolicies({ ctx, input: { policies: [policy({ name: 'all', keepDays: 1 })] } });
  core.clock.advance(40 * 86_400_000);
  expect((await planRetention({ ctx })).activities).toBe(0);
  await setPolicies({
    ctx,
    input: { policies: [policy({ name: 'own', keepDays: 1, actions: ['annals.*'] })] },
  });
  expect((await planRetention({ ctx })).activities).toBe(1);
});

test('a past month that is wholly expired and nobody else uses is dropped, others are emptied', async () => {
  const [ctx, other] = [core.context(), core.context()];
  await seed(ctx, [
    anActivity({ message: 'alone', occurredAt: new Date('2026-01-10T00:00:00Z') }),
    anActivity({ message: 'alone too', occurredAt: new Date('2026-01-31T23:59:59.999Z') }),
    anActivity({ message: 'shared', occurredAt: new Date('2026-02-10T00:00:00Z') }),
    anActivity({ message: 'expired', occurredAt: new Date('2026-03-10T00:00:00Z') }),
    anActivity({ message: 'kept', severity: 'error' as const, occurredAt: new Date('2026-03-10T00:00:00Z') }),
    anActivity({ message: 'this month', occurredAt: new Date('2026-06-02T00:00:00Z') }),
  ]);
  await seed(other, [anActivity({ message: 'theirs', occurredAt: new Date('2026-02-10T00:00:00Z') })]);
  await setPolicies({
    ctx,
    input: { policies: [policy({ name: 'infos', severities: ['info'], keepDays: 5 })] },
  });
  const { plan, job } = await purge(ctx);
  expect(plan).toMatchObject({ activities: 5, partitionsDropped: ['2026-01'] });
  expect(job.result).toMatchObject({
    changed: 5,
    counts: [{ name: 'infos', count: 5 }],
    partitionsDropped: ['2026-01'],
  });
  expect(await partitions()).toEqual(['activity_202602', 'activity_202603', 'activity_202606']);
  expect(await left(ctx)).toEqual(['kept']);
  expect(await left(other)).toEqual(['theirs']);
});

test('a month into which a record came meanwhile is not dropped, and that record stays', async () => {
  const ctx = core.context();
  const occurredAt = new Date('2026-01-10T00:00:00Z');
  await seed(ctx, [anActivity({ message: 'expired', occurredAt })]);
  await setPolicies({ ctx, input: { policies: [policy({ name: 'all' })] } });
  const plan = await planRetention({ ctx });
  expect(plan.partitionsDropped).toEqual(['2026-01']);
  const { id } = await applyRetention({ ctx, input: { planId: plan.id, driftMax: 0 } });
  const run = { tenantId: ctx.tenantId, jobId: id };
  // The first chunk only makes up its mind.
  const stop = new AbortController();
  const { db } = core.services;
  const stopping: typeof db.transaction = async (...args) => {
    const result = await db.transaction(...args);
    if (args[2]?.role === 'custodian') stop.abort();
    return result;
  };
  const services = { ...core.services, db: { ...db, transaction: stopping } };
  expect(await runJob(services, { ...run, signal: stop.signal })).toBe('interrupted');
  core.clock.advance(1);
  await seed(ctx, [anActivity({ message: 'late', occurredAt })]);
  expect(await runJob(core.services, run)).toBe('ended');
  expect((await getJob({ ctx, input: { id } })).result).toMatchObject({ changed: 1, partitionsDropped: [] });
  expect(await left(ctx)).toEqual(['late']);
});

test('a month that somebody reads at length is emptied instead of dropped', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ occurredAt: new Date('2026-01-10T00:00:00Z') })]);
  await setPolicies({ ctx, input: { policies: [policy({ name: 'all' })] } });
  await inspection.query('begin');
  await inspection.query('select count(*) from annals.activity');
  const { job } = await purge(ctx);
  await inspection.query('commit');
  expect(job.result).toMatchObject({ changed: 1, partitionsDropped: [] });
});

test('the cutoff is that of the plan, so that time alone is no drift', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ message: 'expired', occurredAt: daysAgo(31) }),
    anActivity({ message: 'nearly', occurredAt: new Date(daysAgo(30).getTime() + 3_700_000) }),
  ]);
  await setPolicies({ ctx, input: { policies: [policy({ name: 'all' })] } });
  const plan = await planRetention({ ctx });
  expect(plan.activities).toBe(1);
  core.clock.advance(3_000_000);
  const { id } = await applyRetention({ ctx, input: { planId: plan.id, driftMax: 0 } });
  await runJob(core.services, { tenantId: ctx.tenantId, jobId: id });
  expect(await left(ctx)).toEqual(['nearly']);
});

test('without policies nothing expires', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ occurredAt: daysAgo(10_000) })]);
  const { plan, job } = await purge(ctx);
  expect(plan).toMatchObject({ activities: 0, byPolicy: [], partitionsDropped: [] });
  expect(job).toMatchObject({ status: 'completed', result: { changed: 0 } });
});

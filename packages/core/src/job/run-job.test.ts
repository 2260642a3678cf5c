import type { Job } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context, Services } from '../context.ts';
import type { Database, Tx } from '../database/database.ts';
import { committedLeaves, expectAccounted } from '../manifest/testing.ts';
import { applyAnonymize } from '../privacy/apply-anonymize.ts';
import { applyRedact } from '../privacy/apply-redact.ts';
import { planAnonymize } from '../privacy/plan-anonymize.ts';
import { planRedact } from '../privacy/plan-redact.ts';
import { applyRetention } from '../retention/apply-retention.ts';
import { planRetention } from '../retention/plan-retention.ts';
import { setPolicies } from '../retention/set-policies.ts';
import { openTestCore, sequenceAll, type TestCore } from '../testing.ts';
import { cancelJob } from './cancel-job.ts';
import { getJob } from './get-job.ts';
import { listJobs } from './list-jobs.ts';
import { requeueIdleJobs } from './requeue-idle-jobs.ts';
import { resumeJob } from './resume-job.ts';
import { runJob } from './run-job.ts';
import { type Inspection, inspect, seed } from './testing.ts';
import { watchJob } from './watch-job.ts';

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

const start = Date.UTC(2026, 0, 31, 22);

/** Enough for several chunks, over two months; the same for every tenant, ids included. */
const activities = Array.from({ length: 2_100 }, (_, index) => {
  const occurredAt = new Date(start + index * 5_000);
  const random = Uint8Array.from({ length: 16 }, (_, byte) => (index >> (byte % 8)) & 0xff);
  return anActivity({
    id: v7({ msecs: occurredAt.getTime(), random }),
    occurredAt,
    actor: { type: 'user' as const, id: `user_${index % 7}`, label: `User number ${index % 7}` },
    severity: index % 2 === 0 ? 'info' : 'warning',
    message: index % 5 === 0 ? 'asked by user_3' : 'asked by nobody',
    metadata: { index, approver: index % 11 === 0 ? 'USER NUMBER 3' : 'nobody' },
  });
});

async function aTenant(): Promise<Context> {
  const ctx = core.context();
  await seed(ctx, activities);
  return ctx;
}

/** Each kind of job, begun. */
const kinds: [string, (ctx: Context) => Promise<Job>][] = [
  [
    'anonymize',
    async (ctx) => {
      const input = { ids: ['user_3'], identifiers: [], learn: true, except: [], mode: 'anonymize' as const };
      const plan = await planAnonymize({ ctx, input });
      return applyAnonymize({ ctx, input: { planId: plan.id, driftMax: 0 } });
    },
  ],
  [
    'redact',
    async (ctx) => {
      // What is erased is what the filter asks for.
      const input = { query: 'message:"asked by user_3"', fields: ['message', 'metadata.index'] };
      const plan = await planRedact({ ctx, input });
      return applyRedact({ ctx, input: { planId: plan.id, driftMax: 0 } });
    },
  ],
  [
    'retention',
    async (ctx) => {
      const policy = {
        name: 'all',
        keepDays: 1,
        since: 'occurredAt' as const,
        severities: ['info' as const],
      };
      await setPolicies({ ctx, input: { policies: [policy] } });
      const plan = await planRetention({ ctx });
      return applyRetention({ ctx, input: { planId: plan.id, driftMax: 0 } });
    },
  ],
];

/** The services, with something done in or after the n-th transaction of the custodian, from 1. */
function disturbed(disturb: {
  readonly inside?: (n: number, tx: Tx) => Promise<void>;
  readonly after?: (n: number) => void;
}): Services {
  const { db } = core.services;
  let n = 0;
  const transaction: Database['transaction'] = async (tenantId, work, options) => {
    if (options?.role !== 'custodian') return db.transaction(tenantId, work, options);
    n += 1;
    const current = n;
    const inTransaction = async (tx: Tx) => {
      const result = await work(tx);
      await disturb.inside?.(current, tx);
      return result;
    };
    const result = await db.transaction(tenantId, inTransaction, options);
    disturb.after?.(current);
    return result;
  };
  return { ...core.services, db: { ...db, transaction } };
}

async function runUndisturbed(begin: (ctx: Context) => Promise<Job>) {
  const ctx = await aTenant();
  const { id: jobId } = await begin(ctx);
  await runJob(core.services, { tenantId: ctx.tenantId, jobId });
  const job = await getJob({ ctx, input: { id: jobId } });
  expect(job.status).toBe('completed');
  return { job, rows: await inspection.rows(ctx.tenantId) };
}

/** What is there is what was committed, and what is not is listed, once and exactly. */
async function expectProven(ctx: Context): Promise<void> {
  const committed = await committedLeaves(ctx);
  await sequenceAll(core, ctx.tenantId);
  await expectAccounted(ctx, committed);
}

/** Once for each kind: it is what the disturbed runs are compared with. */
const undisturbed = new Map<unknown, ReturnType<typeof runUndisturbed>>();
function wholeOf(begin: (ctx: Context) => Promise<Job>): ReturnType<typeof runUndisturbed> {
  const whole = undisturbed.get(begin) ?? runUndisturbed(begin);
  undisturbed.set(begin, whole);
  return whole;
}

test.each(kinds)(
  '%s: stopped after each chunk and run again, it ends as one undisturbed',
  async (_, begin) => {
    const whole = await wholeOf(begin);
    const ctx = await aTenant();
    const { id: jobId } = await begin(ctx);
    const outcomes = new Set<string>();
    for (let outcome = ''; outcome !== 'ended'; outcomes.add(outcome)) {
      const stop = new AbortController();
      const services = disturbed({ after: () => stop.abort() });
      outcome = await runJob(services, { tenantId: ctx.tenantId, jobId, signal: stop.signal });
    }
    expect(outcomes).toEqual(new Set(['interrupted', 'ended']));
    expect((await getJob({ ctx, input: { id: jobId } })).result).toEqual(whole.job.result);
    expect(await inspection.rows(ctx.tenantId)).toEqual(whole.rows);
    await expectProven(ctx);
  },
);

test.each(kinds)(
  '%s: whose connection is cut before each commit, it ends as one undisturbed',
  async (_, begin) => {
    const whole = await wholeOf(begin);
    const ctx = await aTenant();
    const { id: jobId } = await begin(ctx);
    const services = disturbed({
      inside: async (n, tx) => {
        if (n % 2 === 0) return;
        const [backend] = await tx.query(sql<{ pid: number }>`select pg_backend_pid() as pid`);
        await inspection.query('select pg_terminate_backend($1, 5000)', [backend?.pid]);
      },
    });
    expect(await runJob(services, { tenantId: ctx.tenantId, jobId })).toBe('ended');
    expect(await getJob({ ctx, input: { id: jobId } })).toMatchObject({
      status: 'completed',
      result: whole.job.result,
    });
    expect(await inspection.rows(ctx.tenantId)).toEqual(whole.rows);
    await expectProven(ctx);
  },
);

test.each(kinds)(
  '%s: two runners at once do what one does, and other tenants stay as they are',
  async (_, begin) => {
    const other = await aTenant();
    const before = await inspection.texts(other.tenantId);
    const whole = await wholeOf(begin);
    const ctx = await aTenant();
    const { id: jobId } = await begin(ctx);
    const run = { tenantId: ctx.tenantId, jobId };
    const outcomes = await Promise.all([1, 2, 3].map(() => runJob(core.services, run)));
    expect(outcomes).toContain('ended');
    expect((await getJob({ ctx, input: { id: jobId } })).result).toEqual(whole.job.result);
    expect(await inspection.rows(ctx.tenantId)).toEqual(whole.rows);
    expect(await inspection.texts(other.tenantId)).toEqual(before);
    expect(await runJob(core.services, { ...run, tenantId: other.tenantId })).toBe('ended');
    expect(await inspection.texts(other.tenantId)).toEqual(before);
    await expectProven(ctx);
  },
);

const [, beginAnonymize] = kinds[0] as (typeof kinds)[number];

test('a job cancelled while it runs stops after the chunk in hand, and forgets the person', async () => {
  const ctx = await aTenant();
  const job = await beginAnonymize(ctx);
  const stop = new AbortController();
  const services = disturbed({ after: (n) => n === 2 && stop.abort() });
  await runJob(services, { tenantId: ctx.tenantId, jobId: job.id, signal: stop.signal });
  core.enqueued.length = 0;
  expect(await cancelJob({ ctx, input: job })).toMatchObject({ status: 'running', done: 1_000 });
  expect(core.enqueued).toEqual([{ tenantId: ctx.tenantId, jobId: job.id }]);
  expect(await runJob(core.services, { tenantId: ctx.tenantId, jobId: job.id })).toBe('ended');
  const cancelled = await getJob({ ctx, input: job });
  expect(cancelled).toMatchObject({ status: 'cancelled', done: 1_000, endedAt: core.clock.now() });
  expect(cancelled.result?.changed).toBeGreaterThan(0);
  expect(
    await inspection.query('select request, summary from annals.plan where tenant_id = $1', [ctx.tenantId]),
  ).toEqual([{ request: {}, summary: {} }]);
  await expect(cancelJob({ ctx, input: job })).rejects.toMatchObject({ code: 'job_ended' });
  await expect(resumeJob({ ctx, input: job })).rejects.toMatchObject({ code: 'job_ended' });
  const own = await inspection.texts(ctx.tenantId);
  expect(own.filter((text) => text.includes('erasure.cancelled'))).toHaveLength(1);
});

test('a job cancelled before it runs changes nothing', async () => {
  const ctx = await aTenant();
  const before = await inspection.rows(ctx.tenantId);
  const job = await beginAnonymize(ctx);
  expect(await cancelJob({ ctx, input: job })).toMatchObject({ status: 'cancelled', done: 0 });
  expect(await runJob(core.services, { tenantId: ctx.tenantId, jobId: job.id })).toBe('ended');
  expect(await inspection.rows(ctx.tenantId)).toEqual(before);
});

test('a failure marks the job, tells nothing of its cause, and can be resumed', async () => {
  const whole = await wholeOf(beginAnonymize);
  const ctx = await aTenant();
  const job = await beginAnonymize(ctx);
  const logged: object[] = [];
  const services: Services = {
    ...disturbed({
      inside: async (n, tx) => {
        if (n === 3) await tx.query(sql`select 'user_3'::int`);
      },
    }),
    log: { ...core.services.log, error: (fields) => void logged.push(fields) },
  };
  expect(await runJob(services, { tenantId: ctx.tenantId, jobId: job.id })).toBe('ended');
  const failed = await getJob({ ctx, input: job });
  expect(failed).toMatchObject({ status: 'failed', done: 1_000, error: { code: 'internal' } });
  expect(JSON.stringify([failed, logged])).not.toContain('user_3');
  expect(logged).toMatchObject([{ jobId: job.id, error: { code: '22P02' } }]);
  expect(await resumeJob({ ctx, input: job })).toMatchObject({ status: 'queued', done: 1_000 });
  await runJob(core.services, { tenantId: ctx.tenantId, jobId: job.id });
  const resumed = await getJob({ ctx, input: job });
  expect(resumed).toMatchObject({ status: 'completed', result: whole.job.result });
  expect(resumed.error).toBeUndefined();
});

test('a watch shows each state once, and ends with the last', async () => {
  const ctx = await aTenant();
  const job = await beginAnonymize(ctx);
  const seen: Job[] = [];
  for await (const each of watchJob({ ctx, input: job, pollMs: 1 })) {
    if (seen.push(each) === 1) void runJob(core.services, { tenantId: ctx.tenantId, jobId: job.id });
  }
  expect(seen[0]?.status).toBe('queued');
  expect(seen.at(-1)).toMatchObject({ status: 'completed', done: 4_202, total: 4_202 });
  expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(seen.length);
});

test('an aborted watch ends', async () => {
  const ctx = core.context();
  const job = await beginAnonymize(ctx);
  const stop = new AbortController();
  const seen: Job[] = [];
  for await (const each of watchJob({ ctx, input: job, signal: stop.signal, pollMs: 60_000 })) {
    seen.push(each);
    stop.abort();
  }
  expect(seen).toHaveLength(1);
});

test('jobs of other tenants are not found', async () => {
  const job = await beginAnonymize(core.context());
  const ctx = core.context();
  await expect(getJob({ ctx, input: job })).rejects.toMatchObject({ code: 'not_found' });
  await expect(cancelJob({ ctx, input: job })).rejects.toMatchObject({ code: 'not_found' });
  await expect(resumeJob({ ctx, input: job })).rejects.toMatchObject({ code: 'not_found' });
  await expect(watchJob({ ctx, input: job }).next()).rejects.toMatchObject({ code: 'not_found' });
  expect(await listJobs({ ctx, input: { limit: 10 } })).toEqual({ jobs: [] });
});

test('a key for purges neither sees nor stops an erasure, whose result can name a pseudonym', async () => {
  const ctx = core.context();
  const job = await beginAnonymize(ctx);
  const other = core.context({ tenantId: ctx.tenantId, principal: { scopes: ['retention'] } });
  await expect(getJob({ ctx: other, input: job })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(watchJob({ ctx: other, input: job }).next()).rejects.toMatchObject({ code: 'forbidden' });
  expect(await listJobs({ ctx: other, input: { limit: 10 } })).toEqual({ jobs: [] });
  await expect(cancelJob({ ctx: other, input: job })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(resumeJob({ ctx: other, input: job })).rejects.toMatchObject({ code: 'forbidden' });
});

test('jobs that nobody has touched for a while are handed over again, whatever their tenant', async () => {
  const [first, second] = [core.context(), core.context()];
  const jobs = [await beginAnonymize(first), await beginAnonymize(second), await beginAnonymize(second)];
  await runJob(core.services, { tenantId: second.tenantId, jobId: jobs[2]?.id ?? '' });
  core.enqueued.length = 0;
  await requeueIdleJobs(core.services);
  expect(core.enqueued).toEqual([]);
  core.clock.advance(11_000);
  await requeueIdleJobs(core.services);
  const handed = core.enqueued.map(({ jobId }) => jobId);
  expect(handed).toEqual(expect.arrayContaining(jobs.slice(0, 2).map(({ id }) => id)));
  expect(handed).not.toContain(jobs[2]?.id);
});

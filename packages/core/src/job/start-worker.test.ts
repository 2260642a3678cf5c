import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context, Services } from '../context.ts';
import { applyAnonymize } from '../privacy/apply-anonymize.ts';
import { planAnonymize } from '../privacy/plan-anonymize.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { getJob } from './get-job.ts';
import { createJobQueue } from './graphile-queue.ts';
import { maintain } from './maintenance.ts';
import { startWorker } from './start-worker.ts';
import { type Inspection, inspect, seed } from './testing.ts';
import { watchJob } from './watch-job.ts';

let core: TestCore;
let inspection: Inspection;
let services: Services;
beforeAll(async () => {
  core = await openTestCore();
  inspection = await inspect(core);
  services = { ...core.services, queue: createJobQueue(core.services.db) };
});
afterAll(async () => {
  await inspection.close();
  await core.close();
});

const worker = (overrides: Partial<Services> = {}) =>
  startWorker({ ...services, ...overrides }, { connectionString: core.url, setRole: true, concurrency: 2 });

const aContext = (): Context => ({ ...core.context(), queue: services.queue });

async function begin(ctx: Context) {
  await seed(ctx, [anActivity(), anActivity({ message: 'for user_ada' })]);
  const input = { ids: ['user_ada'], identifiers: [], learn: true, except: [], mode: 'anonymize' as const };
  const plan = await planAnonymize({ ctx, input });
  return applyAnonymize({ ctx, input: { planId: plan.id, driftMax: 0 } });
}

async function untilEnded(ctx: Context, id: string) {
  for await (const job of watchJob({ ctx, input: { id }, pollMs: 5 })) if (job.endedAt) return job;
  throw new Error('the watch ended before the job');
}

const messages = () => inspection.query('select payload, locked_at from graphile_worker._private_jobs');

test('jobs that were handed over before and after its start are run, and nothing is left in the queue', async () => {
  const [first, second] = [aContext(), aContext()];
  const before = await begin(first);
  expect(await messages()).toEqual([
    { payload: { tenantId: first.tenantId, jobId: before.id }, locked_at: null },
  ]);
  const running = await worker();
  expect(await untilEnded(first, before.id)).toMatchObject({ status: 'completed' });
  const after = await begin(second);
  expect(await untilEnded(second, after.id)).toMatchObject({ status: 'completed' });
  await running.stop();
  expect(await messages()).toEqual([]);
});

test('stopping finishes the chunk in hand, and the next worker goes on', async () => {
  const ctx = aContext();
  const job = await begin(ctx);
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const { db } = services;
  const transaction: typeof db.transaction = async (tenantId, work, options) =>
    db.transaction(
      tenantId,
      async (tx) => {
        if (options?.role === 'custodian') {
          reached.resolve();
          await goOn.promise;
        }
        return work(tx);
      },
      options,
    );
  const first = await worker({ db: { ...db, transaction } });
  await reached.promise;
  const stopped = first.stop();
  goOn.resolve();
  await stopped;
  // Its own message is gone, and the next one waits.
  expect(await messages()).toEqual([{ payload: { tenantId: ctx.tenantId, jobId: job.id }, locked_at: null }]);
  expect(await getJob({ ctx, input: job })).toMatchObject({ status: 'running' });
  const second = await worker();
  expect(await untilEnded(ctx, job.id)).toMatchObject({ status: 'completed', result: { changed: 2 } });
  await second.stop();
});

test('a message that a killed worker holds locked does not hold up its job', async () => {
  const ctx = aContext();
  const job = await begin(ctx);
  await inspection.query(
    `update graphile_worker._private_jobs set locked_at = now(), locked_by = 'killed', attempts = 1`,
  );
  core.clock.advance(60_000);
  const running = await worker();
  expect(await untilEnded(ctx, job.id)).toMatchObject({ status: 'completed' });
  await running.stop();
  // As the queue does after hours: the message is free, but was tried too often.
  await inspection.query('update graphile_worker._private_jobs set locked_at = null, locked_by = null');
  expect(await messages()).toHaveLength(1);
  await maintain(services);
  expect(await messages()).toEqual([]);
});

test('it goes on when the database has cut its connections', async () => {
  const ctx = aContext();
  const running = await worker();
  await inspection.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'annals queue'`,
  );
  const job = await begin(ctx);
  expect(await untilEnded(ctx, job.id)).toMatchObject({ status: 'completed' });
  await running.stop();
});

test('it recovers when the database refused it at first', async () => {
  const ctx = aContext();
  const job = await begin(ctx);
  await inspection.query('revoke select on graphile_worker._private_tasks from annals_app');
  const refused = Promise.withResolvers<void>();
  const log = { ...services.log, error: () => refused.resolve() };
  const running = await worker({ log });
  await refused.promise;
  await inspection.query('grant select on graphile_worker._private_tasks to annals_app');
  expect(await untilEnded(ctx, job.id)).toMatchObject({ status: 'completed' });
  await running.stop();
});

test('a database that cannot be reached fails the start, and holds nothing', async () => {
  const options = { connectionString: 'postgresql://nobody@127.0.0.1:1/none', setRole: true };
  await expect(startWorker(services, options)).rejects.toMatchObject({ code: 'unavailable' });
});

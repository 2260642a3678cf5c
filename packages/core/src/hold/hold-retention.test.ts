import { anActivity } from '@annals/testkit';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Context, Services } from '../context.ts';
import { type Inspection, inspect, seed } from '../job/testing.ts';
import { planRetention } from '../retention/plan-retention.ts';
import { setPolicies } from '../retention/set-policies.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { releaseHold } from './release-hold.ts';
import { hold, personOf, purge, run } from './testing.ts';

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

const january = (day: number) => new Date(Date.UTC(2026, 0, day));
const february = (day: number) => new Date(Date.UTC(2026, 1, day));
const bob = { type: 'user' as const, id: 'user_bob', label: 'Bob Builder' };

async function withPolicy(): Promise<Context> {
  const ctx = core.context();
  const policies = [{ name: 'all', keepDays: 30, since: 'occurredAt' as const }];
  await setPolicies({ ctx, input: { policies } });
  return ctx;
}

const left = async (ctx: Context) => (await inspection.rows(ctx.tenantId)).map((row) => row['message']);

test('what a filter holds is not purged, nor is its month dropped; once released both go', async () => {
  const ctx = await withPolicy();
  await seed(ctx, [
    anActivity({ occurredAt: january(1), message: 'free' }),
    anActivity({ occurredAt: january(2), message: 'held', action: 'contract.signed' }),
    anActivity({ occurredAt: february(1), message: 'alone' }),
  ]);
  const { id } = await hold(ctx, { query: 'action:contract.*' });
  const first = await purge(ctx);
  expect(first.plan).toMatchObject({
    activities: 2,
    held: 1,
    holds: [{ id, name: 'Claim 17', activities: 1 }],
    byPolicy: [{ name: 'all', count: 2 }],
    byMonth: [
      { name: '2026-01', count: 1 },
      { name: '2026-02', count: 1 },
    ],
    partitionsDropped: ['2026-02'],
  });
  expect(first.plan.sampleIds).toHaveLength(2);
  expect(first.job.result).toMatchObject({ changed: 2, held: 1, partitionsDropped: ['2026-02'] });
  expect(await left(ctx)).toEqual(['held']);

  await releaseHold({ ctx, input: { id } });
  const second = await purge(ctx);
  expect(second.plan).toMatchObject({ activities: 1, held: 0, holds: [], partitionsDropped: ['2026-01'] });
  expect(second.job.result).toMatchObject({ changed: 1, held: 0, partitionsDropped: ['2026-01'] });
  expect(await left(ctx)).toEqual([]);
});

test('what a person is in is not purged; what only looks alike goes, with its month', async () => {
  const ctx = await withPolicy();
  await seed(ctx, [
    anActivity({ occurredAt: january(1), actor: bob, message: 'mail to ada@x.com' }),
    anActivity({ occurredAt: january(2), actor: bob, message: 'mail to canada@x.com' }),
    anActivity({ occurredAt: february(1), actor: bob, message: 'mail to ada@x.community' }),
  ]);
  await hold(ctx, { person: personOf('user_ada', ['ada@x.com']) });
  const { plan, job } = await purge(ctx);
  expect(plan).toMatchObject({ activities: 2, held: 1, partitionsDropped: ['2026-02'] });
  expect(job.result).toMatchObject({ changed: 2, held: 1, partitionsDropped: ['2026-02'] });
  expect(await left(ctx)).toEqual(['mail to ada@x.com']);
});

test('a month is not dropped when a hold came after it was decided; what the hold matches stays', async () => {
  const ctx = await withPolicy();
  await seed(ctx, [
    anActivity({ occurredAt: january(1), message: 'free' }),
    anActivity({ occurredAt: january(2), message: 'held', action: 'contract.signed' }),
  ]);
  const plan = await planRetention({ ctx });
  expect(plan.partitionsDropped).toEqual(['2026-01']);
  const { db } = core.services;
  let chunks = 0;
  const transaction: typeof db.transaction = async (...args) => {
    const result = await db.transaction(...args);
    // The first chunk has only made up its mind.
    if (args[2]?.role === 'custodian' && ++chunks === 1) await hold(ctx, { query: 'action:contract.*' });
    return result;
  };
  const services: Services = { ...core.services, db: { ...db, transaction } };
  const { result } = await run(ctx, plan, services);
  expect(result).toMatchObject({ changed: 1, held: 1, partitionsDropped: [] });
  expect(await left(ctx)).toEqual(['held']);
});

test('a month is not dropped while an erasure could bring its records under a hold', async () => {
  const ctx = await withPolicy();
  await seed(ctx, [anActivity({ occurredAt: january(1), actor: bob })]);
  await hold(ctx, { query: '-actor:user_bob' });
  const { plan, job } = await purge(ctx);
  expect(plan).toMatchObject({ activities: 1, held: 0, partitionsDropped: [] });
  expect(job.result).toMatchObject({ changed: 1, held: 0, partitionsDropped: [] });
});

test("another tenant's hold keeps nothing from being purged", async () => {
  const [ctx, other] = [await withPolicy(), core.context()];
  await seed(ctx, [anActivity({ occurredAt: january(1) })]);
  await hold(other, { query: '' });
  const { plan, job } = await purge(ctx);
  expect(plan).toMatchObject({ activities: 1, held: 0, partitionsDropped: ['2026-01'] });
  expect(job.result).toMatchObject({ changed: 1, held: 0 });
});

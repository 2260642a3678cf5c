import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listActivities } from '../activity/list.ts';
import { full, minimal } from '../activity/testing.ts';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { idsInLog, idsOf, log, openTail, type TestTail } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

/** A tenant whose transactions are counted. */
function counted(): { ctx: Context; transactions: () => number } {
  const ctx = core.context();
  let transactions = 0;
  const transaction: Context['db']['transaction'] = (...args) => {
    transactions += 1;
    return ctx.db.transaction(...args);
  };
  return { ctx: { ...ctx, db: { ...ctx.db, transaction } }, transactions: () => transactions };
}

test('all tails of a tenant share one reading, whatever their filters', async () => {
  const { ctx, transactions } = counted();
  const asked = ['', 'action:invoice.*', 'action:other', '-action:other', '"Lovelace"', 'metadata.n:3'];
  const tails = await Promise.all(
    Array.from({ length: 60 }, (_, at) => openTail(ctx, { query: asked[at % asked.length] ?? '' })),
  );
  const next = tails.map((tail) => tail.until(1));
  const before = transactions();
  // By a context of its own, whose transactions are not counted.
  const [id] = await log(core.context({ tenantId: ctx.tenantId }), 1, { metadata: { n: 3 } });
  for (const [at, reading] of next.entries()) {
    if (at % asked.length !== 2) expect(idsOf(await reading)).toEqual([id]);
  }
  expect(transactions() - before).toBe(1);
  await Promise.all(tails.map((tail) => tail.end()));
});

test('a reader who stops is not waited for, and finds everything when it goes on', async () => {
  const ctx = core.context();
  const [slow, ...fast] = await Promise.all(Array.from({ length: 4 }, () => openTail(ctx)));
  for (let round = 0; round < 12; round += 1) {
    await log(ctx, 200);
    await Promise.all(fast.map((tail) => tail.until((round + 1) * 200)));
  }
  const all = await idsInLog(ctx);
  for (const tail of fast) expect(idsOf(tail.told)).toEqual(all);
  expect(slow?.told).toEqual([]);
  // It was far behind, then it is near again.
  expect(idsOf((await slow?.until(2_400)) ?? [])).toEqual(all);
  const [last] = await log(ctx, 1);
  const tails = [slow as TestTail, ...fast];
  for (const tail of tails) expect(idsOf(await tail.until(2_401)).at(-1)).toBe(last);
  await Promise.all(tails.map((tail) => tail.end()));
});

test('readers at any pace are each told everything once, in order', async () => {
  const ctx = core.context();
  const tails = await Promise.all(Array.from({ length: 8 }, () => openTail(ctx)));
  let total = 0;
  const sizes = Array.from({ length: 25 }, (_, at) => ((at * 37) % 150) + 1);
  const writing = (async () => {
    for (const size of sizes) await log(ctx, size);
  })();
  for (const size of sizes) total += size;
  await Promise.all(
    tails.map(async (tail, pace) => {
      while (tail.told.length < total) {
        await tail.next();
        // The slower ones let others do so much meanwhile.
        for (let turn = 0; turn < pace * 40; turn += 1) await yieldToOthers();
      }
    }),
  );
  await writing;
  const all = await idsInLog(ctx);
  expect(all).toHaveLength(total);
  for (const tail of tails) expect(idsOf(tail.told)).toEqual(all);
  await Promise.all(tails.map((tail) => tail.end()));
});

test('a reading that fails for one filter is no loss for the others', async () => {
  const { tenantId, ...ctx } = core.context();
  let shared = 0;
  // The first reading of several filters fails as one would that takes too long.
  const transaction: Context['db']['transaction'] = (tenant, work, options) =>
    ctx.db.transaction(
      tenant,
      (tx) =>
        work({
          ...tx,
          query: async (statement) => {
            const rows = await tx.query(statement);
            const [row] = rows as { selected?: unknown[] }[];
            if (row?.selected?.length === 2 && (shared += 1) === 1) throw new Error('too slow');
            return rows;
          },
        }),
      options,
    );
  const failing: Context = { ...ctx, tenantId, db: { ...ctx.db, transaction } };
  const tails = [await openTail(failing), await openTail(failing, { query: 'action:invoice.*' })];
  const ids = await log({ ...ctx, tenantId }, 2);
  for (const tail of tails) expect(idsOf(await tail.until(2))).toEqual(ids);
  expect(shared).toBe(1);
  await Promise.all(tails.map((tail) => tail.end()));
});

/** Each selects some of the activities below; some by what a field lacks, or by what only the database compares. */
const queries = [
  '',
  'action:user.*',
  '-action:user.*',
  'actor:alice',
  '-actor:alice',
  'severity:>=warning',
  'tag:plain',
  '-tag:plain',
  'has:message',
  '-has:message',
  '-outcome:success',
  'ip:203.0.113.0/24',
  'metadata.plan:pro',
  '-metadata.plan:pro',
  '"invoice 1042"',
  '-"ada"',
  'details.mfa:false',
  'to:2026-01-15T12:00:00Z',
  'channel:web',
];

test.each([
  ['near its end, where they share', 0],
  ['far from it, where each reads by itself', 1_100],
])('tails tell what lists select: from a place in the log %s', async (_name, behind) => {
  const ctx = core.context();
  const early = anActivity({ occurredAt: new Date('2026-01-02T00:00:00Z'), tags: ['plain'] });
  const login = { action: 'user.login', actor: { type: 'user' as const, id: 'alice', label: 'Ada' } };
  for (const fields of [full, early, login, minimal, full, login]) {
    await log(ctx, 3, { message: undefined, metadata: {}, context: {}, ...fields, id: undefined });
  }
  if (behind > 0) await log(ctx, behind, { action: 'later.on' });
  const all = await idsInLog(ctx);
  let selected = 0;
  const property = fc.asyncProperty(fc.subarray(queries, { minLength: 2 }), async (together) => {
    const tails = together.map(async (query) => {
      const listing = listActivities({ ctx, input: { query, order: 'oldest', limit: 1_000 } });
      const tail = await openTail(ctx, { from: 'start', query });
      const told = new Set(idsOf(await tail.reach(`1.${all.length}`)));
      await tail.end();
      const { activities, next } = await listing;
      expect(all.filter((id) => told.has(id))).toEqual(idsOf(tail.told));
      selected += told.size;
      if (next === undefined) expect(idsOf(activities).toSorted()).toEqual(idsOf(tail.told).toSorted());
    });
    await Promise.all(tails);
  });
  await fc.assert(property, { numRuns: 6 });
  expect(selected).toBeGreaterThan(0);
});

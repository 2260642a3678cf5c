import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { appendActivities } from './append.ts';
import { getActivity } from './get.ts';
import { ensurePartitions, ensurePartitionsAhead } from './partitions.ts';
import { appendOne, countRows, full, minimal } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const now = new Date('2026-06-15T12:00:00.000Z');
async function stored(ctx: Context, activity: unknown) {
  const item = await appendOne(ctx, activity);
  if (item.status !== 'stored') throw new Error(JSON.stringify(item));
  return item;
}

describe('what is stored', () => {
  test('every field comes back as it was handed in', async () => {
    const ctx = core.context();
    const { id, recordedAt } = await stored(ctx, full);
    expect(recordedAt).toEqual(now);
    expect(await getActivity({ ctx, input: { id } })).toEqual({
      ...full,
      tenantId: ctx.tenantId,
      recordedAt: now,
      context: { ...full.context, ip: '2001:db8::1' },
      metadata: { plan: 'pro', deep: { list: [1, 0.1, 1e-7, 0, null, true, 'x"\\\n\u0001'] }, '': {} },
    });
  });

  test('an empty text in details is absent, and the log commits to what is there', async () => {
    const ctx = core.context();
    const details = { service: 'mail', endpoint: '', errorMessage: ' ' };
    const { id } = await stored(ctx, { ...minimal, kind: 'external_call', details });
    expect((await getActivity({ ctx, input: { id } })).details).toEqual({ service: 'mail' });
  });

  test('absent fields stay absent', async () => {
    const ctx = core.context();
    const { id } = await stored(ctx, minimal);
    expect(await getActivity({ ctx, input: { id } })).toStrictEqual({
      id,
      tenantId: ctx.tenantId,
      occurredAt: now,
      recordedAt: now,
      action: 'user_login',
      kind: 'activity',
      severity: 'info',
      outcome: 'success',
      visibility: 'internal',
      actor: { type: 'user' },
      tags: [],
      metadata: {},
    });
  });

  test('one call is one batch whose positions have no gap', async () => {
    const ctx = core.context();
    await appendActivities({ ctx, input: { activities: [minimal, 'bad', full, minimal] } });
    const rows = await ctx.db.transaction(ctx.tenantId, (tx) =>
      tx.query(
        sql<{ size: number; position: number }>`select size, position from annals.batch
          join annals.activity on batch.tenant_id = activity.tenant_id and batch.id = batch_id order by position`,
      ),
    );
    expect(rows).toEqual([0, 1, 2].map((position) => ({ size: 3, position })));
  });

  test('activities that share a moment keep the order of the call', async () => {
    const ctx = core.context();
    const { results } = await appendActivities({
      ctx,
      input: { activities: Array.from({ length: 50 }, () => minimal) },
    });
    const ids = results.map((item) => (item.status === 'stored' ? item.id : ''));
    expect(ids).toEqual(ids.toSorted());
  });
});

describe('ids and times', () => {
  test('an id without a time gives the time', async () => {
    const occurredAt = new Date('2026-02-03T04:05:06.789Z');
    const id = v7({ msecs: occurredAt.getTime() });
    expect(await stored(core.context(), { ...minimal, id })).toMatchObject({ id, occurredAt });
  });

  test('a time without an id gets an id of that time', async () => {
    const ctx = core.context();
    const { id } = await stored(ctx, { ...minimal, occurredAt: '2026-02-03T04:05:06.789+01:00' });
    expect(await getActivity({ ctx, input: { id } })).toMatchObject({
      occurredAt: new Date('2026-02-03T03:05:06.789Z'),
    });
  });

  test('an idempotency key stands for one id for ever', async () => {
    const ctx = core.context({ tenantId: 'acme' });
    const activity = { ...minimal, idempotencyKey: 'order-1:paid', occurredAt: '2026-01-02T03:04:05.678Z' };
    expect(await stored(ctx, activity)).toMatchObject({ id: '019b7ca9-8f2e-76e2-8120-85e588f77c9c' });
    expect(await appendOne(ctx, activity)).toMatchObject({ status: 'duplicate' });
    const elsewhere = await stored(core.context(), activity);
    expect(elsewhere.id).not.toBe('019b7ca9-8f2e-76e2-8120-85e588f77c9c');
  });
});

describe('several writers at once', () => {
  test('with the same ids store each activity exactly once', async () => {
    const ctx = core.context();
    const all = Array.from({ length: 40 }, () => anActivity());
    const calls = Array.from({ length: 8 }, (_, caller) =>
      appendActivities({
        ctx,
        // Different parts in different orders, so that calls wait for each other in the middle.
        input: { activities: (caller % 2 ? all.toReversed() : all).slice(caller, caller + 30) },
      }),
    );
    const results = await Promise.all(calls);
    const total = (key: 'stored' | 'duplicates' | 'refused') =>
      results.reduce((sum, result) => sum + result[key], 0);
    expect(total('refused')).toBe(0);
    expect(total('stored')).toBe(await countRows(ctx, 'activity'));
    expect(total('stored') + total('duplicates')).toBe(8 * 30);
    const gaps = await ctx.db.transaction(ctx.tenantId, (tx) =>
      tx.query(sql`
        select batch.id from annals.batch left join annals.activity on batch_id = batch.id
        group by batch.id, size having size <> count(*) or size - 1 <> max(position)`),
    );
    expect(gaps).toEqual([]);
  });

  test('with one id and different content store one of them', async () => {
    const ctx = core.context();
    const one = anActivity();
    const results = await Promise.all(
      ['a', 'b', 'c', 'd'].map((action) => appendOne(ctx, { ...one, action })),
    );
    expect(results.filter((item) => item.status === 'stored')).toHaveLength(1);
    expect(results.filter((item) => item.status === 'refused')).toHaveLength(3);
  });
});

describe('partitions', () => {
  test('of any month are made when an activity needs them', async () => {
    const ctx = core.context();
    const moments = ['1970-01-01T00:00:00.000Z', '1999-12-31T23:59:59.999Z', '2024-02-29T12:00:00.000Z'];
    const activities = moments.map((occurredAt) => ({ ...minimal, occurredAt }));
    expect(await appendActivities({ ctx, input: { activities } })).toMatchObject({ stored: 3 });
  });

  test('are made ahead for the months to come, over the end of a year', async () => {
    const own = await openTestCore();
    own.clock.set(new Date('2027-11-30T23:59:59Z'));
    await ensurePartitionsAhead(own.services, 3);
    const rows = await own.services.db.query(
      sql<{ name: string }>`select inhrelid::regclass::text as name from pg_inherits
        where inhparent = 'annals.activity'::regclass order by name`,
    );
    await own.close();
    const months = ['202711', '202712', '202801', '202802'];
    expect(rows.map(({ name }) => name)).toEqual(months.map((month) => `annals.activity_${month}`));
  });

  test('that were dropped meanwhile are made again', async () => {
    const ctx = core.context();
    const occurredAt = new Date('2010-05-05T00:00:00.000Z');
    await ensurePartitions(ctx, [occurredAt]);
    await ctx.db.transaction(
      ctx.tenantId,
      (tx) => tx.query(sql`select annals.drop_activity_partition('activity_201005', ${ctx.tenantId})`),
      { role: 'custodian' },
    );
    await stored(ctx, { ...minimal, occurredAt });
  });

  test('of one month are made once for callers at the same time', async () => {
    const moment = new Date('2011-05-05T00:00:00.000Z');
    await Promise.all(
      Array.from({ length: 10 }, () => stored(core.context(), { ...minimal, occurredAt: moment })),
    );
  });
});

test('a call that fails half-way leaves nothing behind', async () => {
  const ctx = core.context();
  const write: Context['db']['write'] = (writes) =>
    ctx.db.write(writes.map((each) => ({ ...each, steps: [...each.steps, { text: 'select 1 / 0' }] })));
  const broken: Context = { ...ctx, db: { ...ctx.db, write } };
  await expect(appendOne(broken, minimal)).rejects.toThrow('division by zero');
  expect(await countRows(ctx, 'activity')).toBe(0);
  expect(await countRows(ctx, 'batch')).toBe(0);
});

test('a refused item never loses the others', async () => {
  const ctx = core.context();
  const bad = [undefined, null, 'x', [], {}, { ...minimal, actor: null }, { ...minimal, id: 'x' }];
  const activities = bad.flatMap((each) => [each, minimal]);
  const result = await appendActivities({ ctx, input: { activities } });
  expect(result).toMatchObject({ stored: bad.length, duplicates: 0, refused: bad.length });
  expect(result.results.map((item) => item.status)).toEqual(bad.flatMap(() => ['refused', 'stored']));
  expect(await countRows(ctx, 'activity')).toBe(bad.length);
});

test('a call of refused items alone stores nothing, no batch either', async () => {
  const ctx = core.context();
  await appendActivities({ ctx, input: { activities: ['bad', 5] } });
  expect(await countRows(ctx, 'batch')).toBe(0);
});

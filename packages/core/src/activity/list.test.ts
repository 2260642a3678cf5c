import { type Activity, type ActivityInput, Filter, type ListInput, mask, type Page } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { sql } from 'kysely';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { getActivity } from './get.ts';
import { listActivities } from './list.ts';
import { read } from './read.ts';
import { full, storeAll } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

function list(ctx: Context, input: Partial<ListInput> = {}): Promise<Page> {
  return listActivities({ ctx, input: { order: 'newest', limit: 50, ...input } });
}

const ids = (page: Page) => page.activities.map(({ id }) => id);

/** Few moments, so that many records share one, over the end of a month. */
const someActivity = fc
  .record({
    at: fc.integer({ min: 0, max: 4 }),
    action: fc.constantFrom('a.one', 'a.two', 'b.one'),
  })
  .map(({ at, action }): ActivityInput => {
    const msecs = Date.parse('2026-01-31T23:59:59.998Z') + at;
    return { id: v7({ msecs }), occurredAt: new Date(msecs), action, actor: { type: 'user' } };
  });

function inOrder(activities: readonly ActivityInput[], order: 'newest' | 'oldest'): string[] {
  // An id begins with its time.
  const sorted = activities.map(({ id }) => id as string).toSorted();
  return order === 'oldest' ? sorted : sorted.toReversed();
}

describe('pages', () => {
  const cases = fc.record({
    activities: fc.array(someActivity, { maxLength: 25 }),
    order: fc.constantFrom<ListInput['order']>('newest', 'oldest'),
    limit: fc.integer({ min: 1, max: 6 }),
    filter: fc.constantFrom<Filter>({}, { action: { any: ['a.*'] } }),
  });

  test('walked to the end and back meet each record once, in order, while others write elsewhere', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ activities, order, limit, filter }) => {
        const ctx = core.context();
        if (activities.length > 0) await storeAll(ctx, activities);
        const selected = activities.filter(({ action }) => !filter.action || action.startsWith('a.'));
        const expected = inOrder(selected, order);
        const pages = [await list(ctx, { order, limit, filter })];
        for (let cursor = pages[0]?.next; cursor; cursor = pages.at(-1)?.next) {
          // At the end that the walk has left.
          const occurredAt = new Date(order === 'newest' ? '2026-06-01' : '2025-12-01');
          await storeAll(ctx, [{ action: 'a.late', actor: { type: 'user' }, occurredAt }]);
          pages.push(await list(ctx, { order, limit, filter, cursor }));
        }
        expect(pages.flatMap(ids)).toEqual(expected);
        for (const page of pages.slice(0, -1)) expect(page.activities).toHaveLength(limit);

        const back: string[][] = [];
        for (let cursor = pages.at(-1)?.previous; cursor; ) {
          const page: Page = await list(ctx, { order, limit, filter, cursor });
          back.unshift(ids(page));
          cursor = page.previous;
        }
        // The late ones come first; the last page was met on the way there.
        const before = pages.slice(0, -1).flatMap(ids);
        const late = Math.max(0, pages.length - 1);
        expect(back.flat().slice(late)).toEqual(before);
        expect(back.flat()).toHaveLength(late + before.length);
      }),
      { numRuns: 40 },
    );
  });

  test('of any cursor go on from its place', async () => {
    const ctx = core.context();
    const activities = fc.sample(someActivity, { numRuns: 20, seed: 7 });
    await storeAll(ctx, activities);
    for (const order of ['newest', 'oldest'] as const) {
      const expected = inOrder(activities, order);
      const second = await list(ctx, {
        order,
        limit: 5,
        cursor: (await list(ctx, { order, limit: 5 })).next,
      });
      expect(ids(second)).toEqual(expected.slice(5, 10));
      const first = await list(ctx, { order, limit: 3, cursor: second.previous });
      expect(ids(first)).toEqual(expected.slice(2, 5));
      expect(ids(await list(ctx, { order, limit: 3, cursor: first.previous }))).toEqual(expected.slice(0, 2));
      expect(ids(await list(ctx, { order, limit: 3, cursor: first.next }))).toEqual(expected.slice(5, 8));
    }
  });

  test('at either end have no cursor beyond it', async () => {
    const ctx = core.context();
    expect(await list(ctx)).toEqual({ activities: [] });
    await storeAll(ctx, [anActivity(), anActivity()]);
    const whole = await list(ctx, { limit: 2 });
    expect(whole).not.toHaveProperty('next');
    expect(whole).not.toHaveProperty('previous');
    const first = await list(ctx, { limit: 1 });
    const last = await list(ctx, { limit: 1, cursor: first.next });
    expect(last).not.toHaveProperty('next');
    expect(await list(ctx, { limit: 1, cursor: last.previous })).toEqual(first);
  });

  test('lead back from where all further records were purged', async () => {
    const ctx = core.context();
    const [one, two] = [anActivity(), anActivity({ occurredAt: new Date('2026-01-16T00:00:00Z') })];
    await storeAll(ctx, [one, two]);
    const first = await list(ctx, { limit: 1 });
    await ctx.db.transaction(
      ctx.tenantId,
      (tx) => tx.query(sql`delete from annals.activity where id = ${one.id}`),
      { role: 'custodian' },
    );
    const empty = await list(ctx, { limit: 1, cursor: first.next });
    expect(empty).toEqual({ activities: [], previous: expect.any(String) });
    expect(ids(await list(ctx, { limit: 1, cursor: empty.previous }))).toEqual([two.id]);
  });
});

describe('refused', () => {
  test.each(['', 'x', 'AAAA', '!!!!', Buffer.from(`000${v7()}`).toString('base64url').slice(1)])(
    'the cursor %j, which none is',
    async (cursor) => {
      await expect(list(core.context(), { cursor })).rejects.toMatchObject({
        code: 'invalid_input',
        path: 'cursor',
      });
    },
  );

  test('a cursor with anything added, of the other order, or of a time that no record has', async () => {
    const ctx = core.context();
    await storeAll(ctx, [anActivity(), anActivity()]);
    const { next = '' } = await list(ctx, { limit: 1 });
    const far = Buffer.from('000ffffffff-ffff-7fff-bfff-ffffffffffff').toString('base64url');
    for (const input of [
      { cursor: `${next}!` },
      { cursor: ` ${next}` },
      { cursor: next, order: 'oldest' as const },
      { cursor: far },
    ]) {
      await expect(list(ctx, input)).rejects.toMatchObject({ code: 'invalid_input', path: 'cursor' });
    }
  });

  test('a filter and a query together', async () => {
    await expect(list(core.context(), { filter: {}, query: '' })).rejects.toMatchObject({
      code: 'invalid_input',
      path: 'query',
    });
  });

  test('a query that does not parse, with its position', async () => {
    await expect(list(core.context(), { query: 'actor:a nope:b' })).rejects.toMatchObject({
      code: 'invalid_query',
      position: 8,
    });
  });
});

test('a query selects what its filter selects, at the time of the call', async () => {
  const ctx = core.context();
  await storeAll(ctx, [
    anActivity({ occurredAt: new Date('2026-06-14T12:00:00Z') }),
    anActivity({ occurredAt: new Date('2026-06-14T11:59:59Z') }),
  ]);
  expect(ids(await list(ctx, { query: 'since:1d action:invoice.*' }))).toHaveLength(1);
  expect(ids(await list(ctx, { filter: Filter.parse({ action: 'invoice.*' }) }))).toHaveLength(2);
});

/** The same tenant, seen by a key that may not see personal fields. */
function blind(tenantId: string): Context {
  return core.context({ tenantId, principal: { scopes: ['activities:read'] } });
}

describe('without personal:read', () => {
  test('personal fields come masked where they have a value', async () => {
    const ctx = core.context();
    await storeAll(ctx, [full]);
    const masked: Partial<Activity> = {
      actor: { type: 'user', id: 'user_ada', label: mask },
      subject: { id: mask },
      context: { ...full.context, ip: mask, userAgent: mask },
    };
    const { activities } = await list(blind(ctx.tenantId));
    expect(activities).toMatchObject([{ ...masked, message: full.message, target: full.target }]);
    expect(await getActivity({ ctx: blind(ctx.tenantId), input: { id: full.id } })).toMatchObject(masked);

    const bare = core.context();
    await storeAll(bare, [{ action: 'x', actor: { type: 'system' } }]);
    const [activity] = (await list(blind(bare.tenantId))).activities;
    expect(activity).toMatchObject({ actor: { type: 'system' } });
    expect(activity).not.toHaveProperty('subject');
    expect(activity).not.toHaveProperty('context');
    expect(activity?.actor).not.toHaveProperty('label');
  });

  test.each(['actorLabel', 'subject', 'ip', 'userAgent'])(
    'a filter by %s is refused by name',
    async (field) => {
      const refused = { code: 'forbidden', message: expect.stringContaining('personal:read') };
      const ctx = blind(core.context().tenantId);
      const value = '10.0.0.1';
      await expect(list(ctx, { filter: Filter.parse({ [field]: value }) })).rejects.toMatchObject({
        ...refused,
        path: `filter.${field}`,
      });
      await expect(list(ctx, { filter: Filter.parse({ has: [field] }) })).rejects.toMatchObject(refused);
      await expect(list(ctx, { query: `-${field}:${value}` })).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining(field),
        path: 'query',
      });
    },
  );

  test('text is not found in the labels of actors', async () => {
    const ctx = core.context();
    const [id] = await storeAll(ctx, [{ action: 'x', actor: { type: 'user', label: 'Ada Lovelace' } }]);
    expect(ids(await list(ctx, { query: 'lovelace' }))).toEqual([id]);
    expect(ids(await list(blind(ctx.tenantId), { query: 'lovelace' }))).toEqual([]);
    expect(ids(await list(blind(ctx.tenantId), { query: '-lovelace' }))).toEqual([id]);
  });
});

describe('another tenant', () => {
  test('sees no record, by list, by cursor or by id', async () => {
    const theirs = core.context();
    const [id = ''] = await storeAll(theirs, [anActivity(), anActivity()]);
    const { next } = await list(theirs, { limit: 1 });
    const ours = core.context();
    expect(await list(ours)).toEqual({ activities: [] });
    expect((await list(ours, { cursor: next })).activities).toEqual([]);
    const missing = { code: 'not_found', message: 'there is no such activity' };
    await expect(getActivity({ ctx: ours, input: { id } })).rejects.toMatchObject(missing);
    await expect(getActivity({ ctx: ours, input: { id: v7() } })).rejects.toMatchObject(missing);
  });
});

test('an id of a time that no record has is not found', async () => {
  const input = { id: 'ffffffff-ffff-7fff-bfff-ffffffffffff' };
  await expect(getActivity({ ctx: core.context(), input })).rejects.toMatchObject({ code: 'not_found' });
});

test('a read that takes longer than it may is ended in the database', async () => {
  const ctx = { ...core.context(), readTimeoutMs: 50 };
  const endless = read(ctx, (tx) => tx.query(sql`select pg_sleep(600)`));
  await expect(endless).rejects.toMatchObject({ code: 'timeout' });
});

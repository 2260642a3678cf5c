import {
  type ActivityInput,
  type FacetsInput,
  type FacetsResult,
  Filter,
  facetFields,
  limits,
} from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { countActivities } from './count.ts';
import { facetActivities } from './facets.ts';
import { summarizeActor } from './summary.ts';
import { full, storeAll } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const base = { action: 'a', actor: { type: 'user' } } satisfies ActivityInput;

async function facet(ctx: Context, field: FacetsInput['fields'][number], input: Partial<FacetsInput> = {}) {
  const result: FacetsResult = await facetActivities({
    ctx,
    input: { fields: [field], limit: 10, ...input },
  });
  return result.facets[0];
}

describe('facets', () => {
  test('give the values of each field, largest counts first', async () => {
    const ctx = core.context();
    await storeAll(ctx, [
      { ...base, tags: ['x', 'y'], channel: 'web' },
      { ...base, tags: ['y'], severity: 'error' },
      { ...base, action: 'b' },
    ]);
    await storeAll(core.context(), [base]);
    const { facets } = await facetActivities({
      ctx,
      input: { fields: ['action', 'tag', 'channel', 'severity', 'scope'], limit: 10 },
    });
    expect(facets).toEqual([
      {
        field: 'action',
        values: [
          { value: 'a', count: 2 },
          { value: 'b', count: 1 },
        ],
        more: false,
      },
      {
        field: 'tag',
        values: [
          { value: 'y', count: 2 },
          { value: 'x', count: 1 },
        ],
        more: false,
      },
      { field: 'channel', values: [{ value: 'web', count: 1 }], more: false },
      {
        field: 'severity',
        values: [
          { value: 'info', count: 2 },
          { value: 'error', count: 1 },
        ],
        more: false,
      },
      { field: 'scope', values: [], more: false },
    ]);
  });

  test('of a field are counted under the filter without its own part', async () => {
    const ctx = core.context();
    await storeAll(ctx, [
      { ...base, channel: 'web', severity: 'error', tags: ['x'] },
      { ...base, channel: 'app', severity: 'error' },
      { ...base, channel: 'app', severity: 'info' },
    ]);
    const filter = Filter.parse({
      channel: 'web',
      severityAtLeast: 'error',
      severity: { none: ['critical'] },
    });
    expect(await facet(ctx, 'channel', { filter })).toMatchObject({
      values: [
        { value: 'app', count: 1 },
        { value: 'web', count: 1 },
      ],
    });
    expect(await facet(ctx, 'severity', { filter })).toMatchObject({
      values: [{ value: 'error', count: 1 }],
    });
    expect(await facet(ctx, 'action', { filter })).toMatchObject({ values: [{ value: 'a', count: 1 }] });
    const tagged = { filter: Filter.parse({ tag: 'x' }) };
    expect(await facet(ctx, 'channel', tagged)).toMatchObject({ values: [{ value: 'web', count: 1 }] });
    expect(await facet(ctx, 'tag', tagged)).toMatchObject({ values: [{ value: 'x', count: 1 }] });
    expect(await facet(ctx, 'severity', { query: 'severity:>=error' })).toMatchObject({
      values: [
        { value: 'error', count: 2 },
        { value: 'info', count: 1 },
      ],
    });
  });

  test('say when there are more values', async () => {
    const ctx = core.context();
    await storeAll(
      ctx,
      ['a', 'b', 'c'].map((action) => ({ ...base, action })),
    );
    expect(await facet(ctx, 'action', { limit: 2 })).toMatchObject({
      values: [{ value: 'a' }, { value: 'b' }],
      more: true,
    });
    expect(await facet(ctx, 'action', { limit: 3 })).toMatchObject({ more: false });
  });

  test('can be asked of every field', async () => {
    const ctx = core.context();
    await storeAll(ctx, [full]);
    const { facets } = await facetActivities({ ctx, input: { fields: [...facetFields], limit: 1 } });
    expect(facets.map(({ field }) => field)).toEqual(facetFields);
    expect(facets.every(({ values }) => values.length === 1)).toBe(true);
  });
});

function by(id: string, at: string, rest: object = {}) {
  return anActivity({ actor: { type: 'user', id }, occurredAt: new Date(at), ...rest });
}

function target(id: string, label: string) {
  return { target: { type: 'doc', id, label } };
}

describe('the summary of an actor', () => {
  test('tells when they were seen, what they did, how it ended and to what', async () => {
    const ctx = core.context();
    await storeAll(ctx, [
      by('ann', '2026-01-01T00:00:00.001Z', { action: 'a', ...target('1', 'Old name') }),
      by('ann', '2026-02-01T00:00:00Z', { action: 'a', outcome: 'denied', ...target('2', 'Two') }),
      by('ann', '2026-03-01T00:00:00Z', { action: 'b', ...target('1', 'New name') }),
      by('ann', '2026-03-02T00:00:00Z', { action: 'b', target: undefined }),
      by('bob', '2026-05-01T00:00:00Z', { action: 'c' }),
    ]);
    await storeAll(core.context(), [by('ann', '2026-06-01T00:00:00Z')]);
    expect(await summarizeActor({ ctx, input: { actor: 'ann', limit: 10 } })).toEqual({
      actor: 'ann',
      total: 4,
      firstSeen: new Date('2026-01-01T00:00:00.001Z'),
      lastSeen: new Date('2026-03-02T00:00:00Z'),
      byAction: [
        { value: 'a', count: 2 },
        { value: 'b', count: 2 },
      ],
      byOutcome: [
        { value: 'success', count: 3 },
        { value: 'denied', count: 1 },
      ],
      recentTargets: [
        { type: 'doc', id: '1', label: 'New name', lastSeen: new Date('2026-03-01T00:00:00Z'), count: 2 },
        { type: 'doc', id: '2', label: 'Two', lastSeen: new Date('2026-02-01T00:00:00Z'), count: 1 },
      ],
    });
    const few = await summarizeActor({ ctx, input: { actor: 'ann', limit: 1, query: 'from:2026-02-01' } });
    expect(few).toMatchObject({
      total: 3,
      byAction: [{ value: 'b', count: 2 }],
      recentTargets: [{ id: '1' }],
    });
    expect(few.recentTargets).toHaveLength(1);
  });

  test('of somebody unknown is empty', async () => {
    expect(await summarizeActor({ ctx: core.context(), input: { actor: 'nobody', limit: 10 } })).toEqual({
      actor: 'nobody',
      total: 0,
      byAction: [],
      byOutcome: [],
      recentTargets: [],
    });
  });
});

describe('the count', () => {
  test('is exact up to its limit, and then says that there are more', async () => {
    const ctx = core.context();
    for (let stored = 0; stored < limits.countMax; stored += 1_000) {
      await storeAll(
        ctx,
        Array.from({ length: 1_000 }, () => base),
      );
    }
    expect(await countActivities({ ctx, input: {} })).toEqual({ count: limits.countMax, capped: false });
    await storeAll(ctx, [base, { ...base, action: 'b' }]);
    expect(await countActivities({ ctx, input: {} })).toEqual({ count: limits.countMax, capped: true });
    expect(await countActivities({ ctx, input: { query: 'action:b' } })).toEqual({ count: 1, capped: false });
    expect(await countActivities({ ctx: core.context(), input: {} })).toEqual({ count: 0, capped: false });
  });
});

test('none of them takes a filter on a personal field without personal:read', async () => {
  const ctx = core.context({ principal: { scopes: ['stats:read'] } });
  const query = 'ip:10.0.0.0/8';
  const forbidden = { code: 'forbidden', path: 'query' };
  await expect(countActivities({ ctx, input: { query } })).rejects.toMatchObject(forbidden);
  await expect(facet(ctx, 'action', { query })).rejects.toMatchObject(forbidden);
  await expect(summarizeActor({ ctx, input: { actor: 'x', limit: 1, query } })).rejects.toMatchObject(
    forbidden,
  );
});

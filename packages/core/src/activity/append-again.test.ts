import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { appendActivities } from './append.ts';
import { getActivity } from './get.ts';
import { appendOne, countRows, full, storeAll } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

async function erase(ctx: Context, id: string, change: ReturnType<typeof sql>): Promise<void> {
  await ctx.db.transaction(
    ctx.tenantId,
    (tx) => tx.query(sql`update annals.activity set ${change} where id = ${id}`),
    { role: 'custodian' },
  );
}

describe('the same id again', () => {
  test('is a duplicate when the content is the same, whatever the order of keys', async () => {
    const ctx = core.context();
    await storeAll(ctx, [full]);
    const reordered = JSON.parse(JSON.stringify(full, Object.keys(flatKeys(full)).toReversed()));
    expect(await appendOne(ctx, reordered)).toMatchObject({ status: 'duplicate', id: full.id });
    expect(await countRows(ctx, 'activity')).toBe(1);
    expect(await countRows(ctx, 'batch')).toBe(1);
  });

  const changes: Record<string, object> = {
    action: { action: 'other' },
    severity: { severity: 'info' },
    'an absent field': { message: undefined },
    'a label': { actor: { ...full.actor, label: 'x' } },
    tags: { tags: [] },
    'metadata deep inside': { metadata: { ...full.metadata, deep: { list: [] } } },
    'an added key': { metadata: { ...full.metadata, more: null } },
    details: { details: { method: 'password' } },
    'no details': { details: undefined },
  };
  test.each(Object.entries(changes))('is a conflict when %s differs', async (_name, change) => {
    const ctx = core.context();
    await storeAll(ctx, [full]);
    expect(await appendOne(ctx, { ...full, ...change })).toEqual({
      status: 'refused',
      code: 'id_conflict',
      path: 'activities.0.id',
      message: 'the id is taken by an activity with other content',
    });
    expect(await getActivity({ ctx, input: { id: full.id } })).toMatchObject({ action: full.action });
  });

  test('within one call: the first is stored, an equal one is a duplicate, another a conflict', async () => {
    const ctx = core.context();
    const activities = [full, full, { ...full, action: 'other' }];
    const { results } = await appendActivities({ ctx, input: { activities } });
    expect(results).toMatchObject([
      { status: 'stored' },
      { status: 'duplicate' },
      { status: 'refused', code: 'id_conflict', path: 'activities.2.id' },
    ]);
  });

  test('what else the call holds is stored, in a batch without gaps', async () => {
    const ctx = core.context();
    const one = anActivity();
    await storeAll(ctx, [one]);
    const result = await appendActivities({
      ctx,
      input: { activities: [anActivity(), one, anActivity(), { ...one, action: 'x' }] },
    });
    expect(result).toMatchObject({ stored: 2, duplicates: 1, refused: 1 });
    const rows = await ctx.db.transaction(ctx.tenantId, (tx) =>
      tx.query(sql<{ size: number; max: number }>`
        select size, max(position) from annals.batch join annals.activity on batch_id = batch.id
        group by batch.id, size order by size`),
    );
    expect(rows).toEqual([
      { size: 1, max: 0 },
      { size: 2, max: 1 },
    ]);
  });

  test('is free in another tenant', async () => {
    await storeAll(core.context(), [full]);
    await storeAll(core.context(), [{ ...full, action: 'other' }]);
  });

  const erasures: Record<string, [object: object, change: ReturnType<typeof sql>]> = {
    'a field': [{}, sql`actor_label = null, erased = '{actor.label}'`],
    'a field replaced by a pseudonym': [{}, sql`actor_id = 'p-1', erased = '{actor.id}'`],
    tags: [{}, sql`tags = '{}', erased = '{tags}'`],
    'a metadata path': [{}, sql`metadata = metadata #- '{deep,list}', erased = '{metadata.deep.list}'`],
    'a metadata key of odd characters': [
      { metadata: { 'a.b': 1, c: 2 } },
      sql`metadata = metadata - 'a.b', erased = ${['metadata."a.b"']}`,
    ],
    'all metadata': [{}, sql`metadata = '{}', erased = '{metadata}'`],
    'a personal metadata key': [{}, sql`metadata = metadata - 'plan', erased = '{metadata.*}'`],
    'a key deep inside': [
      { metadata: { users: { ann: { plan: 1 }, all: 2 } } },
      sql`metadata = metadata #- '{users,ann}', erased = '{metadata.users.*}'`,
    ],
    'an item of a list': [
      { metadata: { list: ['a', { b: 'c' }] } },
      sql`metadata = '{"list": ["a", {"b": null}]}', erased = '{metadata.list.1.b}'`,
    ],
    details: [{}, sql`details = null, erased = '{details}'`],
  };
  test.each(Object.entries(erasures))(
    'is a duplicate after %s was erased',
    async (_name, [change, erasure]) => {
      const ctx = core.context();
      const activity = { ...full, ...change };
      const [id = ''] = await storeAll(ctx, [activity]);
      await erase(ctx, id, erasure);
      expect(await appendOne(ctx, activity)).toMatchObject({ status: 'duplicate' });
      expect(await appendOne(ctx, { ...activity, action: 'other' })).toMatchObject({ code: 'id_conflict' });
      expect(await appendOne(ctx, { ...activity, message: 'other' })).toMatchObject({ code: 'id_conflict' });
    },
  );
});

function flatKeys(value: unknown): Record<string, true> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, inner]) => ({ [key]: true, ...flatKeys(inner) })),
  );
}

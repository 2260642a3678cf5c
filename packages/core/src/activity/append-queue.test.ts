import type { LogItem, LogResult } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { toDomainError } from '../database/domain-error.ts';
import type { TenantWrite } from '../database/one-trip.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { createIdMinter } from './activity-id.ts';
import { appendActivities } from './append.ts';
import { createAppendQueue } from './append-queue.ts';

import { prepareActivity } from './prepare.ts';
import { countRows, minimal, storeAll } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

/** A database of its own queue, which notes what is written, and fails in place of what it is told. */
function watchWrites(fail: (writes: readonly TenantWrite[]) => Error | undefined = () => undefined) {
  const { db } = core.services;
  const writes: string[][] = [];
  const write: typeof db.write = async (each) => {
    writes.push(each.map(({ tenantId }) => tenantId));
    const error = fail(each);
    if (error) throw error;
    return db.write(each);
  };
  return { db: { ...db, write }, writes };
}

function append(ctx: Context, ...activities: unknown[]): Promise<LogResult> {
  return appendActivities({ ctx, input: { activities } });
}

interface Row {
  readonly batchId: string;
  readonly position: number;
  readonly leaf: string;
}

/** What the database holds of an activity's place. */
async function placeOf(ctx: Context, id: string): Promise<Row | undefined> {
  const [row] = await ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.query(sql<Row>`
      select batch_id as "batchId", position, encode(substring(leaves from position * 32 + 1 for 32), 'base64') as leaf
      from annals.activity a join annals.batch b on b.tenant_id = a.tenant_id and b.id = batch_id
      where a.id = ${id}`),
  );
  return row;
}

describe('calls that come at the same time', () => {
  test('are stored by one transaction, as one batch for each tenant, and each is told its own places', async () => {
    const { db, writes } = watchWrites();
    const contexts = [1, 2, 3].map(() => ({ ...core.context(), db }));
    const calls = contexts.flatMap((ctx) => [ctx, ctx, ctx, ctx]);
    const sizes = calls.map((_, at) => 1 + (at % 3));
    const results = await Promise.all(
      calls.map((ctx, at) => append(ctx, ...Array.from({ length: sizes[at] ?? 0 }, () => anActivity()))),
    );
    expect(writes).toEqual([contexts.map(({ tenantId }) => tenantId).toSorted()]);
    for (const [at, { results: items, stored, batches }] of results.entries()) {
      expect({ stored, batches: batches.length }).toEqual({ stored: sizes[at], batches: 1 });
      for (const item of items as Extract<LogItem, { status: 'stored' }>[]) {
        const { batchId, position, leaf } = item;
        expect(await placeOf(calls[at] as Context, item.id)).toEqual({ batchId, position, leaf });
      }
    }
    for (const ctx of contexts) expect(await countRows(ctx, 'batch')).toBe(1);
  });

  test('leave a conflict and duplicates to the calls that made them', async () => {
    const { db, writes } = watchWrites();
    const [ctx, other] = [core.context(), core.context()].map((each) => ({ ...each, db })) as [
      Context,
      Context,
    ];
    const taken = anActivity();
    await storeAll(ctx, [taken]);
    writes.length = 0;
    const [fresh, conflict, duplicate, elsewhere, both] = await Promise.all([
      append(ctx, anActivity()),
      append(ctx, { ...taken, action: 'other' }),
      append(ctx, taken),
      append(other, taken, anActivity()),
      append(ctx, anActivity(), { ...taken, message: 'other' }),
    ]);
    expect(fresh).toMatchObject({ stored: 1, batches: [{ size: 2 }] });
    expect(conflict).toMatchObject({
      results: [{ status: 'refused', code: 'id_conflict', path: 'activities.0.id' }],
      batches: [],
    });
    expect(duplicate).toMatchObject({ results: [{ status: 'duplicate', id: taken.id }], batches: [] });
    expect(elsewhere).toMatchObject({ stored: 2 });
    expect(both).toMatchObject({
      results: [{ status: 'stored' }, { code: 'id_conflict', path: 'activities.1.id' }],
    });
    // All at once, and then each tenant by itself.
    expect(writes.map((tenants) => tenants.length)).toEqual([2, 1, 1]);
  });

  test('with the same id are told as if one had come after the other', async () => {
    const { db } = watchWrites();
    const ctx = { ...core.context(), db };
    const activity = anActivity();
    const results = await Promise.all([
      append(ctx, activity, anActivity()),
      append(ctx, activity),
      append(ctx, { ...activity, action: 'other' }),
    ]);
    expect(results.map((each) => each.results[0])).toMatchObject([
      { status: 'stored' },
      { status: 'duplicate' },
      { status: 'refused', code: 'id_conflict' },
    ]);
    expect(await countRows(ctx, 'activity')).toBe(2);
  });

  test('do not fail with one that the database cannot store', async () => {
    const poison = new Error('poison');
    const { db } = watchWrites((writes) =>
      writes.some(({ steps }) => steps.some(({ rows }) => rows?.includes('poison'))) ? poison : undefined,
    );
    const [ctx, other] = [core.context(), core.context()].map((each) => ({ ...each, db })) as [
      Context,
      Context,
    ];
    const calls = [
      append(ctx, minimal),
      append(ctx, minimal, { ...minimal, message: 'poison' }),
      append(other, minimal),
      append(ctx, minimal),
    ];
    expect(await Promise.allSettled(calls)).toMatchObject([
      { status: 'fulfilled', value: { stored: 1 } },
      { status: 'rejected', reason: poison },
      { status: 'fulfilled', value: { stored: 1 } },
      { status: 'fulfilled', value: { stored: 1 } },
    ]);
    expect(await countRows(ctx, 'activity')).toBe(2);
  });

  test('are all told when the database cannot be reached, which is not tried again for each', async () => {
    const lost = Object.assign(new Error('lost'), { code: 'ECONNRESET' });
    const { db, writes } = watchWrites(() => toDomainError(lost) as Error);
    const calls = [1, 2, 3].map(() => append({ ...core.context(), db }, minimal));
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    expect(writes.length).toBe(1);
  });

  test('come by their turns: what one tenant has sent does not hold up another', async () => {
    const { db, writes } = watchWrites();
    const [busy, quiet] = [core.context(), core.context()].map((each) => ({ ...each, db })) as [
      Context,
      Context,
    ];
    const large = Array.from({ length: 400 }, () => minimal);
    await Promise.all([...[1, 2, 3, 4].map(() => append(busy, ...large)), append(quiet, ...large)]);
    expect(writes.flat().slice(0, 2).toSorted()).toEqual([busy.tenantId, quiet.tenantId].toSorted());
    // None has more than 1,000.
    expect(writes.length).toBeGreaterThan(2);
  });
});

test('past its bound a queue takes no more, until there is room again', async () => {
  const may = Promise.withResolvers<void>();
  const { db } = core.services;
  const ctx = {
    ...core.context(),
    db: { ...db, write: (writes: readonly TenantWrite[]) => may.promise.then(() => db.write(writes)) },
  };
  const queue = createAppendQueue({ atOnceMax: 1, activitiesMax: 2, waitingBytesMax: 10_000 });
  const options = { path: 'a', tenantId: ctx.tenantId, now: ctx.clock.now(), mintId: createIdMinter() };
  const stored: Promise<unknown>[] = [];
  const offer = () => {
    queue.assertRoom();
    const prepared = prepareActivity({ ...minimal, message: 'x'.repeat(500) }, options);
    if ('activity' in prepared) stored.push(queue.store(ctx, [prepared]));
  };
  const fill = () => {
    for (let call = 0; call < 100; call += 1) offer();
  };
  expect(fill).toThrow(expect.objectContaining({ code: 'overloaded', status: 429 }));
  const taken = stored.length;
  expect(taken).toBeGreaterThan(1);
  expect(taken).toBeLessThan(10);
  may.resolve();
  await Promise.all(stored);
  offer();
  await Promise.all(stored);
  expect(await countRows(core.context({ tenantId: ctx.tenantId }), 'activity')).toBe(taken + 1);
});

import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeAll } from '../activity/testing.ts';
import type { Context } from '../context.ts';
import { openTestCore, sequenceAll, type TestCore } from '../testing.ts';
import type { LoggedBatch } from './batches-from.ts';
import { type Follower, followLog } from './follow-log.ts';
import { followerPlace, rewindFollowers } from './follower-place.ts';
import { startFollower } from './start-follower.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

/** Keeps what it takes. */
function keeper(name: string, activitiesMax = 100) {
  const taken: LoggedBatch[] = [];
  const follower: Follower = {
    name,
    activitiesMax,
    take: async (_tx, batches) => void taken.push(...batches),
  };
  return { taken, follower };
}

/** In this order: batches of one millisecond have none. */
async function grow(ctx: Context, ...sizes: number[]): Promise<void> {
  for (const size of sizes) {
    await storeAll(
      ctx,
      Array.from({ length: size }, () => anActivity()),
    );
    await sequenceAll(core, ctx.tenantId);
  }
}

test('a follower takes each batch once, in the order of the log, in bites', async () => {
  const ctx = core.context();
  const { taken, follower } = keeper('bites', 4);
  const follow = () => followLog(core.services, { tenantId: ctx.tenantId, follower });
  expect(await follow()).toBe(0);
  await grow(ctx, 2, 2, 1, 9, 1);
  expect([await follow(), await follow(), await follow(), await follow(), await follow()]).toEqual([
    4, 1, 9, 1, 0,
  ]);
  await grow(ctx, 3);
  expect(await follow()).toBe(3);
  expect(taken.map(({ firstIndex, size }) => [firstIndex, size])).toEqual([
    [0, 2],
    [2, 2],
    [4, 1],
    [5, 9],
    [14, 1],
    [15, 3],
  ]);
});

test('followers do not know of each other, nor do tenants', async () => {
  const [one, two] = [core.context(), core.context()];
  await grow(one, 1);
  await grow(two, 2);
  const [a, b] = [keeper('a'), keeper('b')];
  for (const { follower } of [a, b]) {
    for (const { tenantId } of [one, two]) await followLog(core.services, { tenantId, follower });
  }
  expect(a.taken).toEqual(b.taken);
  expect(a.taken.map(({ size }) => size)).toEqual([1, 2]);
});

test('what fails has taken nothing', async () => {
  const ctx = core.context();
  await grow(ctx, 1);
  const { taken, follower } = keeper('failing');
  const failing: Follower = { ...follower, take: () => Promise.reject(new Error('no')) };
  await expect(followLog(core.services, { tenantId: ctx.tenantId, follower: failing })).rejects.toThrow('no');
  expect(await followLog(core.services, { tenantId: ctx.tenantId, follower })).toBe(1);
  expect(taken).toHaveLength(1);
});

test('what an epoch gives back is taken again', async () => {
  const ctx = core.context();
  await grow(ctx, 1, 2);
  const { taken, follower } = keeper('rewound');
  const { tenantId } = ctx;
  await followLog(core.services, { tenantId, follower });
  await ctx.db.transaction(tenantId, (tx) => rewindFollowers(tx, { epoch: 1, index: 1 }), {
    role: 'custodian',
  });
  expect(await followLog(core.services, { tenantId, follower })).toBe(2);
  expect(taken.map(({ firstIndex }) => firstIndex)).toEqual([0, 1, 1]);
  const place = await ctx.db.transaction(tenantId, (tx) => followerPlace(tx, 'rewound'));
  expect(place).toEqual({ epoch: 1, index: 3 });
});

test('a running follower takes what comes in, and a tenant that it cannot take does not hold up the others', async () => {
  const [good, bad] = [core.context(), core.context()];
  const errors: unknown[] = [];
  const log = { ...core.services.log, error: (fields: unknown) => void errors.push(fields) };
  const arrived = Promise.withResolvers<void>();
  let total = 0;
  const take: Follower['take'] = async ({ tenantId }, batches) => {
    if (tenantId === bad.tenantId) throw new Error('refused');
    if (tenantId !== good.tenantId) return;
    total += batches.length;
    if (total === 2) arrived.resolve();
  };
  await grow(bad, 1);
  await grow(good, 1);
  const follower = { name: 'running', activitiesMax: 100, take };
  const running = startFollower({ ...core.services, log }, follower, { gatherMs: 1 });
  await grow(good, 1);
  await arrived.promise;
  await running.stop();
  expect(errors).toMatchObject([{ tenantId: bad.tenantId, follower: 'running', error: { name: 'Error' } }]);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { getActivity } from './get.ts';
import { listActivities } from './list.ts';
import { ensureRecordPartition, recordActivity } from './record-activity.ts';
import { countRows } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const act = { action: 'annals.key_created', target: { type: 'api_key', id: 'k' } };

async function onlyRecord(ctx: Context) {
  const { activities } = await listActivities({ ctx, input: { order: 'newest', limit: 2 } });
  expect(activities).toHaveLength(1);
  return getActivity({ ctx, input: { id: activities[0]?.id ?? '' } });
}

test('an own record tells the key and the request, and is a batch of its own', async () => {
  const ctx = core.context();
  await ensureRecordPartition(ctx);
  await ctx.db.transaction(ctx.tenantId, (tx) => recordActivity(tx, ctx, act));
  expect(await onlyRecord(ctx)).toMatchObject({
    ...act,
    kind: 'activity',
    actor: { type: 'integration', id: 'key:test000000000000', label: 'test' },
    context: { requestId: 'req-test' },
    occurredAt: core.clock.now(),
    recordedAt: core.clock.now(),
  });
  expect(await countRows(ctx, 'batch')).toBe(1);
});

test('it can name another actor, and be written by the custodian', async () => {
  const ctx = core.context();
  await ensureRecordPartition(ctx);
  await ctx.db.transaction(
    ctx.tenantId,
    (tx) => recordActivity(tx, ctx, { ...act, actor: { type: 'worker', id: 'job' } }),
    { role: 'custodian' },
  );
  expect(await onlyRecord(ctx)).toMatchObject({ actor: { type: 'worker', id: 'job' } });
});

test('it is undone with the act that it records', async () => {
  const ctx = core.context();
  await ensureRecordPartition(ctx);
  const failing = ctx.db.transaction(ctx.tenantId, async (tx) => {
    await recordActivity(tx, ctx, act);
    throw new Error('the act fails');
  });
  await expect(failing).rejects.toThrow('the act fails');
  expect(await countRows(ctx, 'activity')).toBe(0);
});

test('one that breaks the contract is a defect, and fails the act', async () => {
  const ctx = core.context();
  const failing = ctx.db.transaction(ctx.tenantId, (tx) =>
    recordActivity(tx, ctx, { ...act, action: 'No!' }),
  );
  await expect(failing).rejects.toThrow('own activity refused at activity.action');
});

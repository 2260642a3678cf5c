import { type ListInput, mask } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { exportActivities } from './export.ts';
import { listActivities } from './list.ts';
import { storeAll } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

function exported(ctx: Context, input: Partial<ListInput> = {}) {
  return exportActivities({ ctx, input: { order: 'oldest', limit: 2, ...input } });
}

async function ownRecords(ctx: Context) {
  const { activities } = await listActivities({
    ctx,
    input: { order: 'oldest', limit: 50, query: 'action:annals.*' },
  });
  return activities;
}

describe('an export', () => {
  test('is recorded once, by its first page, with who and what', async () => {
    const ctx = core.context();
    await storeAll(ctx, [anActivity(), anActivity(), anActivity()]);
    const first = await exported(ctx, { query: 'action:invoice.*' });
    expect(first.activities).toHaveLength(2);
    const second = await exported(ctx, { query: 'action:invoice.*', cursor: first.next });
    expect(second.activities).toHaveLength(1);
    expect(await ownRecords(ctx)).toMatchObject([
      {
        action: 'annals.exported',
        kind: 'data_access',
        operation: 'read',
        actor: { type: 'integration', id: 'key:test000000000000', label: 'test' },
        target: { type: 'export', id: ctx.tenantId },
        context: { requestId: 'req-test' },
        occurredAt: core.clock.now(),
        details: { resource: 'activity', permission: 'export' },
        metadata: { order: 'oldest', query: 'action:invoice.*', digest: expect.any(String) },
      },
    ]);
  });

  test.each([
    ['ip:10.0.0.1', ['ip']],
    ['Lovelace action:x', ['action', 'text']],
    [`message:${'x'.repeat(8_000)}`, ['message']],
    ['message:"Ada signed in"', ['message']],
    ['metadata.email:ada@example.com', ['metadata']],
    ['targetLabel:Ada', ['targetLabel']],
  ])('by %.20s tells the fields of the filter, not their values', async (query, fields) => {
    const ctx = core.context();
    await exported(ctx, { query });
    const [record] = await ownRecords(ctx);
    expect(record?.metadata).toEqual({ order: 'oldest', fields, digest: expect.any(String) });
  });

  test('is the same for a filter and for a query that is relative to now', async () => {
    const ctx = core.context();
    await storeAll(ctx, [anActivity(), anActivity(), anActivity()]);
    for (const input of [
      { query: 'since:52w action:invoice.*' },
      { filter: { from: new Date(0), action: { any: ['invoice.*'] } } },
    ]) {
      const { next } = await exported(ctx, input);
      core.clock.advance(1_000);
      expect((await exported(ctx, { ...input, cursor: next })).activities).toHaveLength(1);
    }
  });

  test('is gone on with by its own cursors only: not by those of a list, of another export or another key', async () => {
    const ctx = core.context();
    await storeAll(ctx, [anActivity(), anActivity(), anActivity()]);
    const refused = { code: 'invalid_input', path: 'cursor' };
    const { next: listed } = await listActivities({ ctx, input: { order: 'oldest', limit: 2 } });
    await expect(exported(ctx, { cursor: listed })).rejects.toMatchObject(refused);
    expect(await ownRecords(ctx)).toEqual([]);
    const { next } = await exported(ctx, { query: 'action:invoice.*' });
    await expect(exported(ctx, { cursor: next })).rejects.toMatchObject(refused);
    const forged = next?.replace(/.{22}$/, 'A'.repeat(22));
    await expect(exported(ctx, { query: 'action:invoice.*', cursor: forged })).rejects.toMatchObject(refused);
    for (const other of [{ tenantId: ctx.tenantId, principal: { keyId: 'other' } }, {}]) {
      const input = { query: 'action:invoice.*', cursor: next };
      await expect(exported(core.context(other), input)).rejects.toMatchObject(refused);
    }
    expect((await exported(ctx, { query: 'action:invoice.*', cursor: next })).activities).toHaveLength(1);
  });

  test('that is refused is not recorded', async () => {
    const ctx = core.context();
    await expect(exported(ctx, { filter: {}, query: '' })).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await ownRecords(ctx)).toEqual([]);
  });

  test('masks what the key may not see', async () => {
    const ctx = core.context({ principal: { scopes: ['export'] } });
    await storeAll(ctx, [anActivity()]);
    const { activities } = await exported(ctx);
    expect(activities).toMatchObject([{ actor: { label: mask }, context: { ip: mask } }]);
  });

  test('holds nothing of another tenant, and is recorded in its own', async () => {
    const theirs = core.context();
    await storeAll(theirs, [anActivity()]);
    const ours = core.context();
    expect(await exported(ours)).toEqual({ activities: [] });
    expect(await ownRecords(ours)).toHaveLength(1);
    expect(await ownRecords(theirs)).toEqual([]);
  });
});

import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { countRows, storeAll } from '../activity/testing.ts';
import type { Context } from '../context.ts';
import { openTestCore, sequenceAll, type TestCore } from '../testing.ts';
import { type Looked, lookAt } from './look-at.ts';

// A database each: whether a month can be dropped depends on all tenants.
let core: TestCore;
beforeEach(async () => {
  await core?.close();
  core = await openTestCore();
});
afterAll(() => core.close());

const january = { occurredAt: new Date('2026-01-10T00:00:00Z') };
const february = { occurredAt: new Date('2026-02-10T00:00:00Z') };

function look(ctx: Context): Promise<Looked> {
  return ctx.db.transaction(ctx.tenantId, lookAt, { role: 'custodian' });
}

async function drop(ctx: Context, { epoch, size, unsequenced }: Looked): Promise<boolean> {
  const [row] = await ctx.db.transaction(
    ctx.tenantId,
    (tx) =>
      tx.query(sql<{ dropped: boolean }>`
        select annals.drop_activity_partition('activity_202601', ${tx.tenantId}, ${epoch}::int, ${size}::bigint,
          ${unsequenced}::uuid[]) as dropped`),
    { role: 'custodian' },
  );
  return row?.dropped === true;
}

describe('a month', () => {
  test.each([false, true])(
    'is dropped with what was there at the look, sequenced by then: %s',
    async (sequenced) => {
      const ctx = core.context();
      await storeAll(ctx, [anActivity(january), anActivity(january)]);
      if (sequenced) await sequenceAll(core, ctx.tenantId);
      const looked = await look(ctx);
      // One of another month; and of this one, what has a place only now.
      await storeAll(ctx, [anActivity(february)]);
      await sequenceAll(core, ctx.tenantId);
      expect(await drop(ctx, looked)).toBe(true);
      expect(await countRows(ctx, 'activity')).toBe(1);
    },
  );

  test.each([false, true])(
    'is not dropped with what came after the look, sequenced since: %s',
    async (sequenced) => {
      const ctx = core.context();
      await storeAll(ctx, [anActivity(january)]);
      await sequenceAll(core, ctx.tenantId);
      const looked = await look(ctx);
      await storeAll(ctx, [anActivity(january)]);
      if (sequenced) await sequenceAll(core, ctx.tenantId);
      expect(await drop(ctx, looked)).toBe(false);
      expect(await countRows(ctx, 'activity')).toBe(2);
    },
  );

  test("is not dropped with another tenant's records", async () => {
    for (const tenantId of ['a', 'z']) {
      const [ctx, other] = [core.context({ tenantId: 'm' }), core.context({ tenantId })];
      await storeAll(ctx, [anActivity(january)]);
      await storeAll(other, [anActivity(january)]);
      expect(await drop(ctx, await look(ctx))).toBe(false);
      expect(await countRows(other, 'activity')).toBeGreaterThan(0);
    }
  });
});

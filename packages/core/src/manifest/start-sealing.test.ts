import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seed } from '../job/testing.ts';
import { openTestCore, signCommitted, type TestCore } from '../testing.ts';
import { ManifestEntity } from './entity.ts';
import { startSealing } from './start-sealing.ts';
import { purgeBy } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

test('the manifest of a purge is sealed once a checkpoint covers what it lists, without waiting for the next look', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ occurredAt: new Date('2026-01-10T12:00:00Z') }), anActivity()]);
  const sealing = startSealing(core.services);
  const isSealed = () =>
    ctx.db.transaction(ctx.tenantId, async (tx) => {
      const manifests = await tx.em.findAll(ManifestEntity);
      return manifests.length === 1 && manifests.every(({ sealedAt }) => sealedAt !== null);
    });
  await purgeBy(ctx, [{ name: 'all', keepDays: 30, since: 'occurredAt' }]);
  expect(await isSealed()).toBe(false);
  await signCommitted(core, ctx.tenantId);
  // Far less than the time of the look that comes without a signal.
  await expect.poll(isSealed, { timeout: 15_000 }).toBe(true);
  await sealing.stop();
});

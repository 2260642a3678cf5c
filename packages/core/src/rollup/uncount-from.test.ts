import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSignerKeys } from '../signer/key-directory.ts';
import { openEpoch } from '../signer/open-epoch.ts';
import { openStateDirectory } from '../signer/state-directory.ts';
import { openTestSigner, type TestSigner } from '../signer/testing.ts';
import { countAll, countBothWays, expectExact } from './testing.ts';

let signer: TestSigner;
beforeAll(async () => {
  signer = await openTestSigner();
});
afterAll(() => signer.close());

test('what an ended epoch gives back is counted once, in the next', async () => {
  const { core, dir } = signer;
  const ctx = core.context();
  const { tenantId } = ctx;
  await signer.grow(tenantId, 30);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 4);
  await signer.sign(tenantId);
  await restore();
  for (const count of [1, 25, 3]) await signer.grow(tenantId, count);
  await countAll(core, tenantId);
  await expectExact(ctx);

  const keys = (await readSignerKeys(dir)) ?? expect.fail();
  const signing = { services: core.services, keys, state: await openStateDirectory(dir) };
  expect(await openEpoch(signing, { tenantId, principal: ctx.principal })).toMatchObject({ reopened: 29 });
  await expectExact(ctx);
  const total = () => countBothWays(ctx, { filter: {}, groupBy: [], timeZone: 'UTC', limit: 1 });
  expect(await total()).toMatchObject([{ count: 60 }]);
  await countAll(core, tenantId);
  await expectExact(ctx);
  expect(await total()).toMatchObject([{ count: 60 }]);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSignerKeys } from '../signer/key-directory.ts';
import { openEpoch } from '../signer/open-epoch.ts';
import { openStateDirectory } from '../signer/state-directory.ts';
import { openTestSigner, type TestSigner } from '../signer/testing.ts';
import { sequenceAll } from '../testing.ts';
import { idsInLog, idsOf, openTail } from './testing.ts';

let signer: TestSigner;
beforeAll(async () => {
  signer = await openTestSigner();
});
afterAll(() => signer.close());

test('after a restore a tail is refused, and goes on in the new epoch once that is opened', async () => {
  const ctx = signer.core.context();
  const { tenantId } = ctx;
  await signer.grow(tenantId, 20);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 10);
  await signer.sign(tenantId);
  const before = await openTail(ctx, { from: 'start' });
  await before.reach('1.30');
  await restore();
  const open = () => openTail(ctx, { lastEventId: '1.30' });
  // To go on there would be to miss what the log gets in place of what it lost.
  await expect(open()).rejects.toMatchObject({ code: 'invalid_input', path: 'lastEventId' });
  await expect(before.next()).rejects.toMatchObject({ code: 'invalid_input', path: 'lastEventId' });
  await signer.grow(tenantId, 5);
  const keys = (await readSignerKeys(signer.dir)) ?? expect.fail();
  const signing = { services: signer.core.services, keys, state: await openStateDirectory(signer.dir) };
  await openEpoch(signing, { tenantId, principal: ctx.principal });
  await sequenceAll(signer.core, tenantId);
  const after = await open();
  // What was recorded as the epoch began, and the five that are in it now.
  expect(idsOf(await after.until(6))).toEqual((await idsInLog(ctx)).slice(20));
  expect(after.cursor()).toBe('2.6');
  const all = await openTail(ctx, { from: 'start' });
  expect(idsOf(await all.until(26))).toEqual(await idsInLog(ctx));
  await Promise.all([before, after, all].map((tail) => tail.end()));
});

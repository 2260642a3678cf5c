import { type BundleReport, formatPolicy, parseNote } from '@annals/tlog';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleText, verifyText } from '../bundle/testing.ts';
import { redactFields } from '../manifest/testing.ts';
import { sequenceAll } from '../testing.ts';
import { retireLogKey, rotateLogKey } from './change-keys.ts';
import { openEpochIn } from './directory-epochs.ts';
import { readStoredKeys } from './key-directory.ts';
import { keysOf, openTestSigner, type TestSigner } from './testing.ts';

let signer: TestSigner;
let tenantId: string;
beforeAll(async () => {
  signer = await openTestSigner();
});
afterAll(() => signer.close());
beforeEach(() => {
  ({ tenantId } = signer.core.context());
});

/** What an auditor finds who trusts all keys of the directory under the name of the first epoch. */
async function verify(heldCheckpoints: readonly string[] = []): Promise<BundleReport> {
  const stored = await readStoredKeys(signer.dir);
  const keys = keysOf(
    `test.example/${tenantId}`,
    stored.map(({ key }) => key.publicKey),
  );
  const policy = formatPolicy({
    logs: keys.map((key) => ({ key })),
    witnesses: [],
    quorum: { kind: 'none' },
  });
  const now = signer.core.clock.now();
  return verifyText(await bundleText(signer.core.context({ tenantId })), { policy, now, heldCheckpoints });
}

async function loseEntries(grownSince: number): Promise<string> {
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 3);
  const lost = (await signer.sign(tenantId))?.note ?? expect.fail();
  await restore();
  if (grownSince > 0) await signer.grow(tenantId, grownSince);
  await openEpochIn(signer.core.services, {
    dir: signer.dir,
    tenantId,
    principal: signer.core.context({ tenantId }).principal,
  });
  await sequenceAll(signer.core, tenantId);
  await signer.sign(tenantId);
  return lost;
}

const entriesLost = (count: number) => ({ code: 'entries_lost', severity: 'notice', count });

test('a bundle over a rotation is valid', async () => {
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  const number = (await readStoredKeys(signer.dir)).at(-1)?.number ?? 0;
  await rotateLogKey(signer.dir);
  await signer.sign(tenantId);
  await sequenceAll(signer.core, tenantId);
  await signer.sign(tenantId);
  await retireLogKey({ dir: signer.dir, number, force: true });
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  expect(await verify()).toMatchObject({ verdict: 'valid', findings: [], counts: { disclosed: 5 } });
});

test('a bundle over two epochs is valid, and a checkpoint that was lost with the first is reported', async () => {
  await signer.grow(tenantId, 300);
  const kept = (await signer.sign(tenantId))?.note ?? expect.fail();
  const lost = await loseEntries(20);
  expect(await verify([kept])).toMatchObject({
    verdict: 'valid',
    findings: [entriesLost(1)],
    logs: [
      { epoch: 1, size: 300 },
      { epoch: 2, size: 21 },
    ],
    counts: { disclosed: 321, unexplained: 0 },
  });
  expect((await verify([lost])).verdict).toBe('invalid');
  // Lost again, the second epoch this time.
  await loseEntries(0);
  expect(await verify([kept])).toMatchObject({
    verdict: 'valid',
    findings: [entriesLost(2)],
    logs: [{ epoch: 1 }, { epoch: 2 }, { epoch: 3 }],
  });
});

test('a bundle of a log whose second epoch was forgotten goes on with the third', async () => {
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  await loseEntries(1);
  await restore();
  const principal = signer.core.context({ tenantId }).principal;
  await openEpochIn(signer.core.services, { dir: signer.dir, tenantId, principal });
  await signer.sign(tenantId);
  const report = await verify();
  expect(report.logs).toMatchObject([
    { epoch: 1, size: 2 },
    { epoch: 3, size: 1 },
  ]);
  expect(report).toMatchObject({ verdict: 'valid', findings: [entriesLost(1)] });
});

test('a bundle of a log of which nothing was left begins with its second epoch', async () => {
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  await restore();
  const principal = signer.core.context({ tenantId }).principal;
  await openEpochIn(signer.core.services, { dir: signer.dir, tenantId, principal });
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  const report = await verify();
  expect(report.logs).toMatchObject([{ epoch: 2, size: 4 }]);
  expect(report).toMatchObject({ verdict: 'valid', findings: [entriesLost(1)] });
});

test('a bundle waits for a request of an epoch that is not signed yet', async () => {
  const ctx = signer.core.context({ tenantId });
  await signer.grow(tenantId, 5);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  await restore();
  await openEpochIn(ctx, { dir: signer.dir, tenantId, principal: ctx.principal });
  await redactFields(ctx, { fields: ['message'] });
  await sequenceAll(signer.core, tenantId);
  // Of the second epoch it has nothing, and so no reason for what is missing of the first.
  await expect(bundleText(ctx)).rejects.toMatchObject({ code: 'unavailable' });
  await signer.sign(tenantId);
  expect(await verify()).toMatchObject({ verdict: 'pending', counts: { pending: 5, unexplained: 0 } });
});

test('a key whose rotation was not sequenced when an epoch was opened signs that once it is', async () => {
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  await rotateLogKey(signer.dir);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 1);
  await signer.sign(tenantId);
  await restore();
  const { principal } = signer.core.context({ tenantId });
  await openEpochIn(signer.core.services, { dir: signer.dir, tenantId, principal });
  await signer.sign(tenantId);
  await sequenceAll(signer.core, tenantId);
  await signer.sign(tenantId);
  const [last] = (await signer.checkpoints(tenantId)).slice(-1);
  expect(parseNote(last?.note ?? '').signatures.length).toBeGreaterThan(1);
  expect(await verify()).toMatchObject({ verdict: 'valid', findings: [entriesLost(1)] });
});

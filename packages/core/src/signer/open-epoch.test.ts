import { parseCheckpoint, parseNote, verifyNote } from '@annals/tlog';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newestLog } from '../log/newest-log.ts';
import { sequenceAll } from '../testing.ts';
import type { Signing } from './examine-log.ts';
import { readSignerKeys } from './key-directory.ts';
import { openEpoch } from './open-epoch.ts';
import { openStateDirectory } from './state-directory.ts';
import { expectConsistent, keysOf, openTestSigner, type TestSigner } from './testing.ts';

let signer: TestSigner;
let tenantId: string;
beforeAll(async () => {
  signer = await openTestSigner();
});
afterAll(() => signer.close());
beforeEach(() => {
  ({ tenantId } = signer.core.context());
});

async function signing(): Promise<Signing> {
  const keys = (await readSignerKeys(signer.dir)) ?? expect.fail();
  return { services: signer.core.services, keys, state: await openStateDirectory(signer.dir) };
}

async function open() {
  return openEpoch(await signing(), { tenantId, principal: signer.core.context({ tenantId }).principal });
}

async function publicKeys(): Promise<Uint8Array[]> {
  return (await signing()).keys.active.map(({ publicKey }) => publicKey);
}

/** Where each activity stands: epoch and index by id. */
async function places(): Promise<Map<string, string>> {
  const { rows } = await signer.admin.query<{ id: string; place: string }>(
    `select a.id, b.epoch || '/' || (b.first_index + a.position) as place
      from annals.activity a join annals.batch b on b.tenant_id = a.tenant_id and b.id = a.batch_id
      where a.tenant_id = $1`,
    [tenantId],
  );
  return new Map(rows.map(({ id, place }) => [id, place]));
}

async function openedRecord(): Promise<{ id: string; own: boolean; metadata: Record<string, unknown> }> {
  const { rows } = await signer.admin.query<{ id: string; own: boolean; metadata: Record<string, unknown> }>(
    `select id, own, metadata from annals.activity
      where tenant_id = $1 and action = 'annals.epoch_opened' order by occurred_at desc, id desc limit 1`,
    [tenantId],
  );
  return rows[0] ?? expect.fail();
}

test('a restored log goes on in an epoch that cites the last checkpoint; what came after it is in the new one', async () => {
  await signer.grow(tenantId, 300);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 40);
  await signer.sign(tenantId);
  await restore();
  const before = await places();
  // Over several batches and tiles, and one that was not sequenced when the epoch was opened.
  for (const count of [1, 250, 30]) await signer.grow(tenantId, count);
  await expect(signer.sign(tenantId)).rejects.toThrow('another log');
  expect(await open()).toMatchObject({
    epoch: 2,
    origin: `test.example/${tenantId}/e2`,
    cited: { epoch: 1, size: 300 },
    reopened: 281,
  });
  const { id, own, metadata } = await openedRecord();
  expect(own).toBe(true);
  expect((await places()).get(id)).toBe('2/0');
  expect(metadata).toMatchObject({
    epoch: 2,
    previousEpoch: 1,
    previousSize: 300,
    signedEpoch: 1,
    signedSize: 340,
  });
  const cited = parseNote(String(metadata['checkpoint']));
  expect(parseCheckpoint(cited.text)).toMatchObject({ origin: `test.example/${tenantId}`, size: 300 });
  verifyNote(cited, keysOf(`test.example/${tenantId}`, await publicKeys()));

  expect(await sequenceAll(signer.core, tenantId)).toBe(281);
  expect(await signer.sign(tenantId)).toMatchObject({
    epoch: 2,
    size: 282,
    origin: `test.example/${tenantId}/e2`,
  });
  await signer.grow(tenantId, 5);
  expect(await signer.sign(tenantId)).toMatchObject({ epoch: 2, size: 287 });
  const after = await places();
  for (const [id, place] of before) expect(after.get(id)).toBe(place);
  expect(new Set(after.values()).size).toBe(after.size);
  expect(after.size).toBe(587);
  for (const epoch of [1, 2])
    await expectConsistent(signer, { tenantId, epoch, publicKeys: await publicKeys() });
  const { rows } = await signer.admin.query(
    `select epoch, size::int as size from annals.log where tenant_id = $1 order by epoch`,
    [tenantId],
  );
  expect(rows).toEqual([
    { epoch: 1, size: 300 },
    { epoch: 2, size: 287 },
  ]);
});

test('a log that extends what was signed needs no epoch', async () => {
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  await expect(open()).rejects.toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('no new epoch'),
  });
});

test('a log of which the database holds nothing begins anew, and says what was signed', async () => {
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  await restore();
  expect(await open()).toMatchObject({ epoch: 2, cited: undefined, reopened: 0 });
  expect((await openedRecord()).metadata).toMatchObject({ epoch: 2, signedEpoch: 1, signedSize: 3 });
  expect(await signer.sign(tenantId)).toMatchObject({ epoch: 2, size: 1 });
});

test('a rewritten log comes whole into the new epoch', async () => {
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  await restore();
  await signer.grow(tenantId, 600);
  expect(await open()).toMatchObject({ epoch: 2, cited: undefined, reopened: 600 });
  await sequenceAll(signer.core, tenantId);
  expect(await signer.sign(tenantId)).toMatchObject({ epoch: 2, size: 601 });
});

test('an epoch that was signed is not used again by a database that has forgotten it', async () => {
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  const first = await signer.backUp(tenantId);
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  await first();
  await open();
  await signer.sign(tenantId);
  await first();
  await expect(signer.sign(tenantId)).rejects.toThrow('epoch 1 was closed and epoch 2 signed');
  expect(await open()).toMatchObject({ epoch: 3, cited: { epoch: 1, size: 2 } });
  expect((await openedRecord()).metadata).toMatchObject({ signedEpoch: 2, signedSize: 1 });
  expect(await signer.sign(tenantId)).toMatchObject({ epoch: 3, size: 1 });
});

test('an epoch of a log whose tiles are damaged is not opened, and nothing is changed', async () => {
  await signer.grow(tenantId, 10);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  await signer.grow(tenantId, 10);
  await signer.sign(tenantId);
  await restore();
  await signer.grow(tenantId, 300);
  await signer.admin.query(
    `update annals.tile set hashes = substring(hashes for 1024) || sha256('x') || substring(hashes from 1057) where tenant_id = $1`,
    [tenantId],
  );
  const before = await places();
  await expect(open()).rejects.toThrow('do not hold the leaves of a batch');
  expect(await places()).toEqual(before);
  expect((await signer.core.services.db.transaction(tenantId, newestLog))?.epoch).toBe(1);
});

test('an epoch that was put into the database and not opened is refused', async () => {
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  for (const table of ['log', 'batch']) {
    await signer.admin.query(`update annals.${table} set epoch = 2 where tenant_id = $1`, [tenantId]);
  }
  await signer.admin.query('delete from annals.checkpoint where tenant_id = $1', [tenantId]);
  await expect(signer.sign(tenantId)).rejects.toThrow('epoch 2 was not opened');
  await signer.grow(tenantId);
  await expect(signer.sign(tenantId)).rejects.toThrow('epoch 2 was not opened');
  await restore();
  await signer.grow(tenantId);
  expect(await signer.sign(tenantId)).toMatchObject({ epoch: 1, size: 4 });
});

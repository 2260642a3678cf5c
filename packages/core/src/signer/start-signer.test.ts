import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCheckpoint, parseNote, verifyNote } from '@annals/tlog';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Services } from '../context.ts';
import { openDatabase } from '../database/database.ts';
import { startSequencer } from '../log/start-sequencer.ts';
import { createLogKey, retireLogKey, rotateLogKey } from './change-keys.ts';
import { readSignerKeys, readStoredKeys } from './key-directory.ts';
import { signerWarnings } from './signing-lag.ts';
import { startDirectorySigner } from './start-directory-signer.ts';
import type { Signer } from './start-signer.ts';
import { expectConsistent, keysOf, openTestSigner, type TestSigner } from './testing.ts';

let signing: TestSigner;
let other: Services;
const started: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  signing = await openTestSigner();
  const { url } = signing.core;
  const db = await openDatabase({ urls: { app: url, custodian: url }, setRole: true, poolMax: 4 });
  other = { ...signing.core.services, db };
});
afterEach(() => Promise.all(started.splice(0).map((each) => each.stop())));
afterAll(async () => {
  await other.db.close();
  await signing.close();
});

let tenantId: string;
beforeEach(() => {
  ({ tenantId } = signing.core.context());
});

async function start(services: Services = signing.core.services, dir = signing.dir): Promise<Signer> {
  const connectionString = signing.core.url;
  const signer = await startDirectorySigner(services, { connectionString, dir, logName: 'test.example' });
  started.push(signer);
  return signer;
}

const eventually = { timeout: 15_000, interval: 20 };

async function lastSize(tenant = tenantId): Promise<number> {
  return (await signing.checkpoints(tenant)).at(-1)?.size ?? 0;
}

/** Size of the newest checkpoint, and the numbers of the keys that signed it. */
async function lastSigned(): Promise<{ size: number; keys: number[] }> {
  const last = (await signing.checkpoints(tenantId)).at(-1);
  if (!last) return { size: 0, keys: [] };
  const note = parseNote(last.note);
  const { origin, size } = parseCheckpoint(note.text);
  const stored = await readStoredKeys(signing.dir);
  const keys = keysOf(
    origin,
    stored.map(({ key }) => key.publicKey),
  );
  const signed = verifyNote(note, keys).map(({ key }) => key.keyId);
  return {
    size,
    keys: stored.filter((_, at) => signed.includes(keys[at]?.keyId ?? 0)).map(({ number }) => number),
  };
}

async function publicKeys(): Promise<Uint8Array[]> {
  return (await readStoredKeys(signing.dir)).map(({ key }) => key.publicKey);
}

test('what grows is signed, of many tenants, and a rotation reaches logs that rest, without a restart', async () => {
  const tenants = Array.from({ length: 8 }, () => signing.core.context().tenantId);
  const signer = await start();
  started.push(startSequencer(signing.core.services));
  for (const each of [...tenants, tenantId]) await signing.grow(each, 2);
  for (const each of [...tenants, tenantId]) await expect.poll(() => lastSize(each), eventually).toBe(2);
  expect(signer.status()).toMatchObject({ role: 'active', refusals: [], problem: undefined });
  const before = (await readStoredKeys(signing.dir)).filter(({ status }) => status === 'active');
  const added = await rotateLogKey(signing.dir);
  await expect
    .poll(lastSigned, eventually)
    .toEqual({ size: 3, keys: [...before.map(({ number }) => number), added.number] });
  for (const each of tenants) await expect.poll(() => lastSize(each), eventually).toBe(3);
  // By now no log depends on the old keys.
  for (const { number } of before) await retireLogKey({ dir: signing.dir, number });
  await signing.grow(tenantId);
  await expect.poll(lastSigned, eventually).toEqual({ size: 4, keys: [added.number] });
  await expectConsistent(signing, { tenantId, epoch: 1, publicKeys: await publicKeys() });
});

test('one signs and the other stands by; when the connection of the first is ended, the other takes over', async () => {
  const first = await start();
  await expect.poll(() => first.status().role, eventually).toBe('active');
  const second = await start(other);
  started.push(startSequencer(signing.core.services));
  await signing.grow(tenantId, 3);
  await expect.poll(() => lastSize(), eventually).toBe(3);
  expect(second.status()).toMatchObject({ role: 'standby', signed: 0 });
  for (let round = 0; round < 3; round += 1) {
    const { rowCount } = await signing.admin.query(
      `select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'advisory' and l.granted and a.application_name = 'annals signer'
          and l.database = (select oid from pg_database where datname = current_database())`,
    );
    expect(rowCount).toBe(1);
    const size = await lastSize();
    await signing.grow(tenantId, 4);
    await expect.poll(() => lastSize(), eventually).toBe(size + 4);
    await expect
      .poll(() => [first, second].filter((each) => each.status().role === 'active').length, eventually)
      .toBe(1);
  }
  await expectConsistent(signing, { tenantId, epoch: 1, publicKeys: await publicKeys() });
  const active = [first, second].find((each) => each.status().role === 'active');
  await active?.stop();
  await signing.grow(tenantId, 1);
  await expect.poll(() => lastSize(), eventually).toBe(16);
});

test('a restored log is refused as soon as somebody signs, though it rests; the alarm goes when it is mended', async () => {
  await signing.grow(tenantId, 3);
  await signing.sign(tenantId);
  const earlier = await signing.backUp(tenantId);
  await signing.grow(tenantId, 2);
  await signing.sign(tenantId);
  const later = await signing.backUp(tenantId);
  await earlier();
  const signer = await start();
  await expect
    .poll(() => signer.status().refusals, eventually)
    .toMatchObject([
      { tenantId, reason: expect.stringContaining('5 entries were signed, but the database holds 3') },
    ]);
  expect(signerWarnings(signer.status())).toEqual([
    expect.stringContaining('1 logs contradict what was signed'),
  ]);
  const another = signing.core.context().tenantId;
  await signing.grow(another, 2);
  await expect.poll(() => lastSize(another), eventually).toBe(2);
  await later();
  await signer.stop();
  const again = await start();
  await signing.grow(tenantId, 1);
  await expect.poll(() => lastSize(), eventually).toBe(6);
  expect(again.status().refusals).toEqual([]);
});

test('a process with another directory does not sign, says so, and leaves the turn to others', async () => {
  await signing.grow(tenantId, 1);
  await signing.sign(tenantId);
  const dir = await mkdtemp(join(tmpdir(), 'annals-signer-'));
  try {
    const stranger = await start(other, dir);
    await expect
      .poll(() => stranger.status().problem, eventually)
      .toContain('signed with keys that are not in its');
    expect(await readSignerKeys(dir)).toBeUndefined();
    await createLogKey({ dir, logName: 'test.example' });
    await start();
    const newTenant = signing.core.context().tenantId;
    await signing.grow(newTenant, 1);
    await expect.poll(() => lastSize(newTenant), eventually).toBe(1);
    await expectConsistent(signing, { tenantId: newTenant, epoch: 1, publicKeys: await publicKeys() });
    expect(stranger.status()).toMatchObject({ signed: 0 });
  } finally {
    await Promise.all(started.splice(0).map((each) => each.stop()));
    await rm(dir, { recursive: true });
  }
});

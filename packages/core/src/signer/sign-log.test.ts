import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatPolicy,
  formatVerifierKey,
  parseCheckpoint,
  parseNote,
  parsePolicy,
  verifyCheckpoint,
  verifyNote,
} from '@annals/tlog';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sequenceAll } from '../testing.ts';
import { createLogKey, retireLogKey, rotateLogKey } from './change-keys.ts';
import { readSignerKeys, readStoredKeys, type StoredKey } from './key-directory.ts';
import { signLog } from './sign-log.ts';
import type { SignerState } from './signer-state.ts';
import { SigningRefused } from './signing-refused.ts';
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

async function publicKeys(): Promise<Uint8Array[]> {
  return (await readStoredKeys(signer.dir)).map(({ key }) => key.publicKey);
}

async function stateFile(): Promise<string> {
  const state = await openStateDirectory(signer.dir);
  for (const name of await readdir(join(signer.dir, 'state'))) {
    const file = join(signer.dir, 'state', name);
    await rename(file, `${file}.away`);
    const gone = !(await state.read(`test.example/${tenantId}`));
    await rename(`${file}.away`, file);
    if (gone) return file;
  }
  throw new Error('no state');
}

test('a log is signed as it grows, each checkpoint extending the one before, and not again while it rests', async () => {
  expect(await signer.sign(tenantId)).toBeUndefined();
  for (const count of [1, 1, 300, 7]) {
    await signer.grow(tenantId, count);
    expect(await signer.sign(tenantId)).toMatchObject({ origin: `test.example/${tenantId}`, epoch: 1 });
    expect(await signer.sign(tenantId)).toBeUndefined();
  }
  expect((await signer.checkpoints(tenantId)).map(({ size }) => size)).toEqual([1, 2, 302, 309]);
  await expectConsistent(signer, { tenantId, epoch: 1, publicKeys: await publicKeys() });
});

describe('refused is', () => {
  test('a database restored to an earlier state, before and after it grows again; another tenant is signed', async () => {
    await signer.grow(tenantId, 3);
    await signer.sign(tenantId);
    const restore = await signer.backUp(tenantId);
    await signer.grow(tenantId, 4);
    await signer.sign(tenantId);
    await restore();
    await expect(signer.sign(tenantId)).rejects.toThrow('7 entries were signed, but the database holds 3');
    await signer.grow(tenantId, 9);
    await expect(signer.sign(tenantId)).rejects.toThrow(SigningRefused);
    await expect(signer.sign(tenantId)).rejects.toThrow('another log than the 7 entries that were signed');
    expect(await signer.checkpoints(tenantId)).toHaveLength(1);
    const other = signer.core.context().tenantId;
    await signer.grow(other);
    expect(await signer.sign(other)).toMatchObject({ size: 1 });
  });

  test('a database that lost the log altogether', async () => {
    const restore = await signer.backUp(tenantId);
    await signer.grow(tenantId, 3);
    await signer.sign(tenantId);
    await restore();
    await expect(signer.sign(tenantId)).rejects.toThrow('3 entries were signed, but the database holds none');
    await signer.grow(tenantId, 5);
    await expect(signer.sign(tenantId)).rejects.toThrow('another log');
  });

  test.each([
    [
      'root',
      `update annals.log set root = sha256('x') where tenant_id = $1`,
      'the edge of the log leads to another',
    ],
    [
      'edge',
      `update annals.log set edge[1] = sha256('x') || substring(edge[1] from 33) where tenant_id = $1`,
      'leads to',
    ],
    [
      'length of the edge',
      `update annals.log set edge[1] = '' where tenant_id = $1`,
      'the edge of the log is damaged',
    ],
    [
      'tile',
      `update annals.tile set hashes = sha256('x') || substring(hashes from 33) where tenant_id = $1`,
      'another log',
    ],
    ['lost tile', 'delete from annals.tile where tenant_id = $1', 'another log'],
  ])('a log with a changed %s', async (_, change, reason) => {
    await signer.grow(tenantId, 100);
    await signer.sign(tenantId);
    await signer.grow(tenantId, 400);
    await signer.admin.query(change, [tenantId]);
    await expect(signer.sign(tenantId)).rejects.toThrow(reason);
  });

  test('a log that was rewritten as a whole, with all that the database holds of it', async () => {
    const nothing = await signer.backUp(tenantId);
    await signer.grow(tenantId, 5);
    await signer.sign(tenantId);
    await nothing();
    await signer.grow(tenantId, 5);
    await expect(signer.sign(tenantId)).rejects.toThrow('another log than the 5 entries');
  });

  test('a checkpoint that no key of ours signed, and one whose row says something else', async () => {
    await signer.grow(tenantId, 2);
    await signer.sign(tenantId);
    const restore = await signer.backUp(tenantId);
    await signer.admin.query(
      `update annals.checkpoint set note = overlay(note placing 'AAAA' from length(note) - 20) where tenant_id = $1`,
      [tenantId],
    );
    await signer.grow(tenantId);
    await expect(signer.sign(tenantId)).rejects.toThrow('was signed by no key of this signer');
    await restore();
    await signer.admin.query(`update annals.checkpoint set size = 1 where tenant_id = $1`, [tenantId]);
    await expect(signer.sign(tenantId)).rejects.toThrow('the row of the checkpoint of 1 entries was changed');
    await restore();
    await signer.grow(tenantId);
    expect(await signer.sign(tenantId)).toMatchObject({ size: 3 });
  });

  test('a log whose state file is damaged, until it is restored', async () => {
    await signer.grow(tenantId, 2);
    await signer.sign(tenantId);
    const file = await stateFile();
    await rename(file, `${file}.good`);
    await writeFile(file, '{"version":1');
    await signer.grow(tenantId);
    await expect(signer.sign(tenantId)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('is damaged'),
    });
    await rename(`${file}.good`, file);
    expect(await signer.sign(tenantId)).toMatchObject({ size: 3 });
  });
});

test('without its memory the signer goes on from its newest checkpoint, and refuses what does not extend that', async () => {
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  const restore = await signer.backUp(tenantId);
  await rm(await stateFile());
  await signer.grow(tenantId, 2);
  expect(await signer.sign(tenantId)).toMatchObject({ size: 5 });
  await restore();
  await rm(await stateFile());
  await signer.admin.query(
    `update annals.log set size = 2, edge = array[substring(edge[1] for 64)] where tenant_id = $1`,
    [tenantId],
  );
  await expect(signer.sign(tenantId)).rejects.toThrow('leads to another root');
});

test('a memory that is older than the newest checkpoint, as from a backup, is caught up', async () => {
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  const origin = `test.example/${tenantId}`;
  const state = await openStateDirectory(signer.dir);
  const old = await state.read(origin);
  await signer.grow(tenantId, 3);
  await signer.sign(tenantId);
  await state.write(origin, old as NonNullable<typeof old>, await state.read(origin));
  await signer.grow(tenantId, 1);
  expect(await signer.sign(tenantId)).toMatchObject({ size: 7 });
  expect(await state.read(origin)).toMatchObject({ size: 7 });
});

test('the keys of another directory sign nothing of a log', async () => {
  await signer.grow(tenantId);
  await signer.sign(tenantId);
  await signer.grow(tenantId);
  const dir = await mkdtemp(join(tmpdir(), 'annals-signer-'));
  try {
    await createLogKey({ dir, logName: 'test.example' });
    const keys = (await readSignerKeys(dir)) ?? expect.fail();
    const state = await openStateDirectory(dir);
    const sign = signLog({ services: signer.core.services, keys, state }, tenantId);
    await expect(sign).rejects.toThrow('was signed by no key of this signer');
  } finally {
    await rm(dir, { recursive: true });
  }
});

/** A state that fails once, before or after it has written. */
function failingOnce(state: SignerState, when: 'before' | 'after'): SignerState {
  let failed = false;
  const fail = () => {
    if (failed) return;
    failed = true;
    throw new Error('killed');
  };
  return {
    ...state,
    write: async (...args) => {
      if (when === 'before') fail();
      await state.write(...args);
      if (when === 'after') fail();
    },
  };
}

test.each(['before', 'after'] as const)(
  'broken off %s the state is on disk, the next round signs',
  async (when) => {
    await signer.grow(tenantId, 2);
    await signer.sign(tenantId);
    await signer.grow(tenantId, 2);
    const keys = (await readSignerKeys(signer.dir)) ?? expect.fail();
    const state = failingOnce(await openStateDirectory(signer.dir), when);
    const signing = { services: signer.core.services, keys, state };
    await expect(signLog(signing, tenantId)).rejects.toThrow('killed');
    expect(await signer.checkpoints(tenantId)).toHaveLength(1);
    expect((await state.read(`test.example/${tenantId}`))?.size).toBe(when === 'after' ? 4 : 2);
    expect(await signLog(signing, tenantId)).toMatchObject({ size: 4 });
  },
);

test('rotation: both keys sign from when the log says so until the old one is retired', async () => {
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  const [old] = await publicKeys();
  await rotateLogKey(signer.dir);
  const [, next] = (await publicKeys()) as [Uint8Array, Uint8Array];
  const signedBy = async () => {
    const { note } = (await signer.checkpoints(tenantId)).at(-1) ?? expect.fail();
    const { origin, size } = parseCheckpoint(parseNote(note).text);
    const signed = verifyNote(parseNote(note), keysOf(origin, await publicKeys()));
    return { size, keys: signed.map(({ key }) => key.publicKey) };
  };
  // The log rests: looking at it appends the rotation, once.
  await signer.sign(tenantId);
  await signer.sign(tenantId);
  expect(await signedBy()).toEqual({ size: 2, keys: [old] });
  expect(await sequenceAll(signer.core, tenantId)).toBe(1);
  await signer.sign(tenantId);
  expect(await signedBy()).toEqual({ size: 3, keys: [old, next] });
  const { rows } = await signer.admin.query(
    `select own, metadata from annals.activity where tenant_id = $1 and action = 'annals.log_key_rotated'`,
    [tenantId],
  );
  const [oldKey, newKey] = keysOf(`test.example/${tenantId}`, await publicKeys());
  expect(rows).toEqual([
    {
      own: true,
      metadata: { oldKey: oldKey && formatVerifierKey(oldKey), newKey: newKey && formatVerifierKey(newKey) },
    },
  ]);
  await retireLogKey({ dir: signer.dir, number: 1, force: true });
  await signer.grow(tenantId);
  await signer.sign(tenantId);
  expect(await signedBy()).toEqual({ size: 4, keys: [next] });
  await expectConsistent(signer, { tenantId, epoch: 1, publicKeys: await publicKeys() });
});

test('rotation: policies with the old key, and with the new, hold during the overlap; then only the new one', async () => {
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  const origin = `test.example/${tenantId}`;
  const policyWith = (key: StoredKey) => {
    const [named] = keysOf(origin, [key.key.publicKey]);
    const logs = [{ key: named ?? expect.fail() }];
    return parsePolicy(formatPolicy({ logs, witnesses: [], quorum: { kind: 'none' } }));
  };
  const newest = async () => parseNote((await signer.checkpoints(tenantId)).at(-1)?.note ?? expect.fail());
  const old = (await readStoredKeys(signer.dir)).at(-1) ?? expect.fail();
  const added = await rotateLogKey(signer.dir);
  await signer.grow(tenantId);
  await signer.sign(tenantId);
  // Not yet: the rotation stands behind this checkpoint.
  verifyCheckpoint(await newest(), policyWith(old));
  const early = await newest();
  expect(() => verifyCheckpoint(early, policyWith(added))).toThrow('no known key signed');
  await sequenceAll(signer.core, tenantId);
  await signer.sign(tenantId);
  verifyCheckpoint(await newest(), policyWith(old));
  verifyCheckpoint(await newest(), policyWith(added));
  await retireLogKey({ dir: signer.dir, number: old.number, force: true });
  await signer.grow(tenantId);
  await signer.sign(tenantId);
  const late = await newest();
  verifyCheckpoint(late, policyWith(added));
  expect(() => verifyCheckpoint(late, policyWith(old))).toThrow('no known key signed');
  const { logs } = policyWith(old);
  const both = {
    logs: [...logs, ...policyWith(added).logs],
    witnesses: [],
    quorum: { kind: 'none' as const },
  };
  for (const note of [early, late]) verifyCheckpoint(note, parsePolicy(formatPolicy(both)));
});

test('a key retired before a log knows another one leaves the log unsigned only until the rotation stands in it', async () => {
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  const active = (await readStoredKeys(signer.dir)).filter(({ status }) => status === 'active');
  await rotateLogKey(signer.dir);
  await retireLogKey({ dir: signer.dir, number: active.at(-1)?.number ?? 0, force: true });
  await signer.grow(tenantId);
  expect(await signer.sign(tenantId)).toBeUndefined();
  expect(await sequenceAll(signer.core, tenantId)).toBe(1);
  expect(await signer.sign(tenantId)).toMatchObject({ size: 4 });
});

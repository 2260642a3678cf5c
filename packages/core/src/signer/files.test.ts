import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatVerifierKey, verifierKey } from '@annals/tlog';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogKey, retireLogKey, rotateLogKey } from './change-keys.ts';
import { replaceFile } from './durable-file.ts';
import { readSignerKeys, readStoredKeys } from './key-directory.ts';
import { logOrigin, parseLogOrigin } from './origin.ts';
import type { SignedHead } from './signer-state.ts';
import { openStateDirectory } from './state-directory.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'annals-signer-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const origin = 'test.example/acme';
const five: SignedHead = { size: 5, root: new Uint8Array(32).fill(5), keys: ['a'] };
const six: SignedHead = { size: 6, root: new Uint8Array(32).fill(6), keys: ['a', 'b'] };

async function onlyFile(): Promise<string> {
  const names = (await readdir(join(dir, 'state'))).filter((name) => name.endsWith('.json'));
  expect(names).toHaveLength(1);
  return join(dir, 'state', names[0] ?? '');
}

describe('what was last signed', () => {
  test('is read as it was written, by its owner alone', async () => {
    const state = await openStateDirectory(dir);
    expect(await state.read(origin)).toBeUndefined();
    await state.write(origin, five, undefined);
    await state.write(origin, six, five);
    expect(await state.read(origin)).toEqual(six);
    expect(await state.read('test.example/other')).toBeUndefined();
    expect(await state.origins()).toEqual({ origins: [origin], damaged: [] });
    expect((await stat(await onlyFile())).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'state'))).mode & 0o777).toBe(0o700);
  });

  test('stays what it was when a write is broken off before its last step, and is written by the next', async () => {
    const state = await openStateDirectory(dir);
    await state.write(origin, five, undefined);
    const path = await onlyFile();
    const killed = replaceFile({ path, text: '{}', beforeRename: () => Promise.reject(new Error('killed')) });
    await expect(killed).rejects.toThrow('killed');
    // As a process leaves it that was killed while it wrote.
    await writeFile(join(dir, 'state', '.half.json.0123456789ab.tmp'), '{"version": 1, "ori');
    expect(await (await openStateDirectory(dir)).read(origin)).toEqual(five);
    expect(await state.origins()).toEqual({ origins: [origin], damaged: [] });
    await state.write(origin, six, five);
    expect(await state.read(origin)).toEqual(six);
  });

  test('is never taken for nothing: a file that was cut short, edited or moved is refused by its name', async () => {
    const state = await openStateDirectory(dir);
    await state.write(origin, five, undefined);
    const path = await onlyFile();
    const text = await readFile(path, 'utf8');
    const ways = fc.oneof(
      fc.nat(text.length - 1).map((length) => text.slice(0, length)),
      fc.constantFrom(
        text.replace('"size": 5', '"size": "5"'),
        text.replace('acme', 'acne'),
        `${text} `,
        'null',
      ),
    );
    await fc.assert(
      fc.asyncProperty(ways, async (broken) => {
        await writeFile(path, broken);
        await expect(state.read(origin)).rejects.toMatchObject({
          code: 'invalid_input',
          message: expect.stringContaining(`${path} is damaged`),
        });
        expect(await state.origins()).toEqual({ origins: [], damaged: [path] });
      }),
      { numRuns: 40 },
    );
    await writeFile(path, text);
    const moved = path.replace(/[0-9a-f]{8}\.json$/, '00000000.json');
    await rename(path, moved);
    expect(await state.origins()).toEqual({ origins: [], damaged: [moved] });
  });

  test('is not overwritten by who has read an older one', async () => {
    const state = await openStateDirectory(dir);
    await state.write(origin, five, undefined);
    await expect(state.write(origin, six, undefined)).rejects.toMatchObject({ code: 'unavailable' });
    await state.write(origin, six, five);
    await expect(state.write(origin, six, five)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await state.read(origin)).toEqual(six);
    expect(await readdir(join(dir, 'state'))).toHaveLength(1);
  });
});

describe('keys', () => {
  test('are made, rotated and retired; of a retired one only the public half is left', async () => {
    expect(await readSignerKeys(dir)).toBeUndefined();
    const first = await createLogKey({ dir, logName: 'test.example' });
    const second = await rotateLogKey(dir);
    expect((await readSignerKeys(dir))?.active.map(({ publicKey }) => publicKey)).toEqual([
      first.key.publicKey,
      second.key.publicKey,
    ]);
    expect((await stat(join(dir, 'keys', '1.key'))).mode & 0o777).toBe(0o600);
    await retireLogKey({ dir, number: 1 });
    expect(await readStoredKeys(dir)).toMatchObject([
      { number: 1, status: 'retired', key: first.key },
      { number: 2, status: 'active', key: second.key },
    ]);
    expect(await readFile(join(dir, 'keys', '1.retired'), 'utf8')).toBe(`${formatVerifierKey(first.key)}\n`);
    expect((await readdir(join(dir, 'keys'))).toSorted()).toEqual(['1.retired', '2.key']);
    expect((await rotateLogKey(dir)).number).toBe(3);
  });

  test('are not made twice, and the last one that signs is not retired', async () => {
    await createLogKey({ dir, logName: 'test.example' });
    await expect(createLogKey({ dir, logName: 'test.example' })).rejects.toThrow('has keys');
    await expect(retireLogKey({ dir, number: 1 })).rejects.toThrow('the only one that signs');
    await expect(retireLogKey({ dir, number: 2 })).rejects.toThrow('there is no key 2 that signs');
    await expect(rotateLogKey(join(dir, 'none'))).rejects.toThrow('has no key');
  });

  test('a key is not retired while a log knows no other one', async () => {
    const { key } = await createLogKey({ dir, logName: 'test.example' });
    const state = await openStateDirectory(dir);
    const keys = [Buffer.from(key.publicKey).toString('base64')];
    await state.write(origin, { ...five, keys }, undefined);
    const second = await rotateLogKey(dir);
    await expect(retireLogKey({ dir, number: 1 })).rejects.toThrow(
      '1 logs are not signed by another key yet',
    );
    const both = [...keys, Buffer.from(second.key.publicKey).toString('base64')];
    await state.write(origin, { ...six, keys: both }, { ...five, keys });
    expect(await retireLogKey({ dir, number: 1 })).toMatchObject({ status: 'retired' });
  });

  test('a retirement that was broken off counts, and one key that replaces a lost one stands behind it', async () => {
    await createLogKey({ dir, logName: 'test.example' });
    const lost = await readFile(join(dir, 'keys', '1.key'), 'utf8');
    await rotateLogKey(dir);
    const [first] = await readStoredKeys(dir);
    await retireLogKey({ dir, number: 1 });
    await writeFile(join(dir, 'keys', '1.key'), lost, { mode: 0o600 });
    expect((await readSignerKeys(dir))?.active).toHaveLength(1);

    const other = join(dir, 'other');
    const vkey = formatVerifierKey(
      verifierKey({ name: origin, type: 'ed25519', publicKey: first?.key.publicKey as Uint8Array }),
    );
    await createLogKey({ dir: other, logName: 'test.example', replaces: vkey });
    expect((await readSignerKeys(other))?.retired).toEqual([first?.key.publicKey]);
    const wrong = { dir: join(dir, 'third'), logName: 'else.example', replaces: vkey };
    await expect(createLogKey(wrong)).rejects.toThrow('signed no log of else.example');
  });

  test.each([
    ['cut short', (text: string) => text.slice(0, 40)],
    ['empty', () => ''],
    ['of another key id', (text: string) => text.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
  ])('a file that is %s is refused by its name', async (_, change) => {
    await createLogKey({ dir, logName: 'test.example' });
    const path = join(dir, 'keys', '1.key');
    await writeFile(path, change(await readFile(path, 'utf8')));
    await expect(readSignerKeys(dir)).rejects.toMatchObject({
      code: 'invalid_input',
      message: `${path} is damaged; restore it from a backup`,
    });
  });

  test('a key that others can read is refused, and so are keys of two deployments', async () => {
    await createLogKey({ dir, logName: 'test.example' });
    const path = join(dir, 'keys', '1.key');
    await chmod(path, 0o640);
    await expect(readSignerKeys(dir)).rejects.toThrow('can be read by others');
    await chmod(path, 0o600);
    const other = join(dir, 'other');
    await createLogKey({ dir: other, logName: 'else.example' });
    await rename(join(other, 'keys', '1.key'), join(dir, 'keys', '2.key'));
    await expect(readSignerKeys(dir)).rejects.toThrow('keys of several names');
  });

  test.each(['', 'a b', 'a+b', '/a', 'a/', 'a//b', 'ä.example', 'a'.repeat(129)])(
    '%j is no log name',
    async (logName) => {
      await expect(createLogKey({ dir, logName })).rejects.toMatchObject({ code: 'invalid_input' });
    },
  );
});

test('the origin of a log tells its tenant and epoch, and nothing else does', () => {
  const tenantId = fc.oneof(fc.constant('*'), fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/));
  fc.assert(
    fc.property(tenantId, fc.integer({ min: 1, max: 1_000 }), (tenantId, epoch) => {
      const log = { logName: 'test.example', tenantId, epoch };
      expect(parseLogOrigin(logOrigin(log), 'test.example')).toEqual(log);
      expect(parseLogOrigin(logOrigin(log), 'else.example')).toBeUndefined();
    }),
  );
  for (const origin of ['a/', 'a', 'a/t/e1', 'a/t/e02', 'a/t/x', 'a/t/e2/x', 'a/%', 'a/%41', 'b/t']) {
    expect(parseLogOrigin(origin, 'a')).toBeUndefined();
  }
});

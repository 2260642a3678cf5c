import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readStoredKeys } from './key-directory.ts';
import { openStateDirectory } from './state-directory.ts';
import { expectConsistent, openTestSigner, type TestSigner } from './testing.ts';
import { type KillStep, killSteps } from './testing-killed.ts';

let signer: TestSigner;
beforeAll(async () => {
  signer = await openTestSigner();
});
afterAll(() => signer.close());

/** A process of its own signs the log once and is killed at the step. */
async function killAt(step: KillStep, tenantId: string): Promise<void> {
  const args = ['--conditions=@annals/source', join(import.meta.dirname, 'testing-killed.ts')];
  const child = spawn(process.execPath, [...args, signer.core.url, signer.dir, tenantId, step], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [[, signal], errors] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
  expect(signal, errors).toBe('SIGKILL');
}

const published = { 'when it is committed': 5 } as Readonly<Record<string, number>>;
const remembered = {
  'when the state is on disk': 5,
  'when the checkpoint is inserted': 5,
  'when it is committed': 5,
} as Readonly<Record<string, number>>;

test.each(killSteps)('a signer killed %s is followed by one that goes on, with one history', async (step) => {
  const { tenantId } = signer.core.context();
  await signer.grow(tenantId, 2);
  await signer.sign(tenantId);
  await signer.grow(tenantId, 3);
  await killAt(step, tenantId);
  const state = await openStateDirectory(signer.dir);
  expect((await state.read(`test.example/${tenantId}`))?.size).toBe(remembered[step] ?? 2);
  expect((await signer.checkpoints(tenantId)).at(-1)?.size).toBe(published[step] ?? 2);
  // The database ends the killed one's transaction, and with it its lock, when it sees its connection end.
  if (published[step] === undefined) {
    await expect.poll(() => signer.sign(tenantId), { timeout: 10_000 }).toMatchObject({ size: 5 });
  } else expect(await signer.sign(tenantId)).toBeUndefined();
  await signer.grow(tenantId, 1);
  expect(await signer.sign(tenantId)).toMatchObject({ size: 6 });
  expect((await signer.checkpoints(tenantId)).map(({ size }) => size)).toEqual([2, 5, 6]);
  const publicKeys = (await readStoredKeys(signer.dir)).map(({ key }) => key.publicKey);
  await expectConsistent(signer, { tenantId, epoch: 1, publicKeys });
});

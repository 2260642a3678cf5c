import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAnnals } from '@annals/server';
import { parsePolicy, parseVerifierKey } from '@annals/tlog';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestCli, type TestCli } from '../testing.ts';

let cli: TestCli;
let dir: string;
beforeAll(async () => {
  cli = await openTestCli();
});
afterAll(() => cli.close());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'annals-log-key-'));
});
afterEach(() => rm(dir, { recursive: true }));

const run = (...args: string[]) => cli.run(['log-key', ...args, '--signer-dir', dir, '--quiet']);

async function json(...args: string[]): Promise<unknown> {
  const { stdout, stderr } = await run(...args, '--output', 'json');
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('a key is made, rotated and retired, and the policy of a log lists all that signed it', async () => {
  expect(await json('create', '--name', 'logs.example')).toMatchObject([{ number: 1, status: 'active' }]);
  expect(await run('create', '--name', 'logs.example')).toMatchObject({ code: 2 });
  expect(await json('rotate')).toMatchObject([{ number: 2, status: 'active' }]);
  expect(await run('retire', '3')).toMatchObject({ code: 2 });
  expect(await json('retire', '1')).toMatchObject([{ number: 1, status: 'retired' }]);
  expect((await readdir(join(dir, 'keys'))).toSorted()).toEqual(['1.retired', '2.key']);
  const shown = (await json('show')) as { number: number; vkey: string }[];
  expect(shown.map(({ vkey }) => parseVerifierKey(vkey).name)).toEqual([
    'logs.example/t1',
    'logs.example/t1',
  ]);
  const { stdout } = await run('show', '--policy');
  const policy = parsePolicy(stdout);
  expect(policy.logs.map(({ key }) => key)).toEqual(shown.map(({ vkey }) => parseVerifierKey(vkey)));
  expect(policy.quorum).toEqual({ kind: 'none' });
  expect(parsePolicy((await run('show', '--policy', '--active-only')).stdout).logs).toHaveLength(1);
});

test('what a command lacks is named', async () => {
  expect((await run('create')).stderr).toContain('--name or ANNALS_LOG_NAME');
  expect((await run('rotate')).stderr).toContain('`annals log-key create` makes one');
  expect((await run('show', '--policy')).stderr).toContain('there is no key yet');
  expect((await run('new-epoch')).stderr).toContain('has no key');
  expect((await run('retire', 'x')).code).toBe(2);
});

test('logs that lost signed entries are listed, and go on in a new epoch once that is confirmed', async () => {
  const annals = await openAnnals({ database: { url: cli.databaseUrl } });
  // Another database under the same signer: as one restored to before anything was signed.
  const restored = await openTestCli();
  const newEpoch = (...args: string[]) =>
    restored.run(['log-key', 'new-epoch', ...args, '--signer-dir', dir, '--quiet']);
  try {
    await annals.startWorker();
    const signer = await annals.startSigner({ dir, logName: 'logs.example' });
    await expect.poll(() => signer.status().signed, { timeout: 10_000 }).toBeGreaterThan(0);
    await signer.stop();
    expect(await run('new-epoch')).toMatchObject({ code: 0, stdout: 'Every log extends what was signed.\n' });
    expect(await run('new-epoch', '--open', 't1', '--confirm', 't1')).toMatchObject({ code: 2 });
    expect(await newEpoch()).toMatchObject({
      code: 7,
      stdout: expect.stringContaining('but the database holds none'),
    });
    expect(await newEpoch('--open', 't1')).toMatchObject({ code: 3 });
    expect(await newEpoch('--open', 't1', '--confirm', 't1')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Epoch 2 of t1 is open.'),
    });
    expect((await newEpoch()).stdout).not.toMatch(/^t1/m);
  } finally {
    await annals.close();
    await restored.close();
  }
});

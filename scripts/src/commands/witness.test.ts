import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parsePolicy, parseVerifierKey } from '@annals/tlog';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../cli/run-cli.ts';
import { fakeIo } from '../testing.ts';
import { createTestLog, post } from '../witness/testing.ts';

const logs = [createTestLog('log.example/t1'), createTestLog('log.example/t2')];
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'annals-witness-'));
  for (const [at, { policy }] of logs.entries()) await writeFile(join(cwd, `${at}.policy`), policy);
});
afterEach(() => rm(cwd, { recursive: true }));

async function run(...args: string[]) {
  const io = fakeIo({ cwd });
  const code = await runCli(['witness', ...args], io.io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

test('the key is made once, and shown', async () => {
  const first = await run('--print-key', '--name', 'audit.example/witness');
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(parseVerifierKey(first.stdout.trim())).toMatchObject({
    name: 'audit.example/witness',
    type: 'cosignature',
  });
  expect(await run('--print-key')).toEqual(first);
  expect((await run('--print-key', '--dir', 'other')).stdout).not.toBe(first.stdout);
  // The secret is nowhere but in its file.
  const secret = await readFile(join(cwd, 'annals-witness', 'witness.key'), 'utf8');
  const [, bytes] = /^PRIVATE\+KEY\+[^+]+\+[^+]+\+(\S+)$/.exec(secret.trim()) ?? [];
  expect(bytes).toHaveLength(44);
  expect(first.stdout).not.toContain(bytes);
});

test.each([
  ['no policy', [], /--policy/],
  ['a policy that is not there', ['--policy', 'none.policy'], /none\.policy cannot be read/],
  ['a file that is no policy', ['--policy', 'bad.policy'], /bad\.policy: policy line 1/],
  ['a policy without logs', ['--policy', 'empty.policy'], /no policy lists a log/],
  ['a name that no key can have', ['--print-key', '--name', 'a b'], /--name/],
  ['another name than the key has', ['--print-key', '--name', 'other', '--dir', 'kept'], /the name kept/],
  ['a key file that holds none', ['--print-key', '--dir', 'broken'], /holds no key/],
  ['a port that is none', ['--policy', '0.policy', '--port', '70000'], /65535/],
])('%s is told before anything is served', async (_, args, reason) => {
  await writeFile(join(cwd, 'bad.policy'), 'nonsense\n');
  await writeFile(join(cwd, 'empty.policy'), 'quorum none\n');
  await run('--print-key', '--name', 'kept', '--dir', 'kept');
  await run('--print-key', '--dir', 'broken');
  await writeFile(join(cwd, 'broken', 'witness.key'), 'nonsense\n');
  const { code, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(reason) as string });
});

function start(...args: string[]) {
  const main = join(import.meta.dirname, '../main.ts');
  const options = ['--conditions=@annals/source', main, 'witness', '--port', '0', ...args];
  const child = spawn(process.execPath, options, { cwd, env: { PATH: process.env['PATH'] } });
  return { child, stderr: text(child.stderr), ended: once(child, 'exit') as Promise<[number | null]> };
}

test('it tells where it is and the line for a policy, witnesses the logs of every policy, and ends on Ctrl-C', async () => {
  const { child, stderr, ended } = start('--policy', '0.policy', '--policy', '1.policy');
  const [greeting] = (await once(child.stdout, 'data')) as [Buffer];
  for (const { origin } of logs) expect(String(greeting)).toContain(origin);
  const line = /^ {2}(witness .*)$/m.exec(String(greeting))?.[1] ?? '';
  const [witness] = parsePolicy(`${line}\nquorum none\n`).witnesses;
  const url = witness?.url?.replace(/\/$/, '') ?? '';
  for (const log of logs) expect((await post(url, log.grow(0, 12))).status).toBe(200);
  expect((await post(url, logs[0]?.grow(12, 12, 'forked') ?? '')).status).toBe(422);
  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  const told = await stderr;
  expect(told).toContain('Cosigned log.example/t2 at size 12');
  expect(told).toMatch(/Refused log\.example\/t1 at size 12 \(422\): .*; kept in .*evidence/);
});

test('a program is told in JSON', async () => {
  const { child, stderr, ended } = start('--policy', '0.policy', '--output', 'json');
  const [greeting] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(String(greeting)) as { url: string };
  await post(url.replace(/\/$/, ''), 'nonsense');
  await post(url.replace(/\/$/, ''), logs[0]?.grow(0, 5) ?? '');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  const events = (await stderr)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(events).toMatchObject([
    { event: 'refused', status: 400 },
    { event: 'cosigned', origin: 'log.example/t1', size: 5 },
    { event: 'note' },
  ]);
});

test('docs/witness.md tells every option', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../docs/witness.md'), 'utf8');
  const { stdout } = await run('--help');
  const own = stdout.slice(0, stdout.indexOf('Global Options'));
  for (const [option] of own.matchAll(/--(?!help)[a-z-]+/g)) expect(page).toContain(`\`${option}`);
});

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestCli, type TestCli } from '../testing.ts';

let cli: TestCli;
let folder: string;

beforeAll(async () => {
  cli = await openTestCli();
  const stdin = Array.from({ length: 3_000 }, (_, n) => line('load.stored', n)).join('');
  const { code } = await cli.run(['import', '--format', 'annals', '-'], { stdin });
  expect(code).toBe(0);
});
afterAll(() => cli.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-process-'));
});
afterEach(() => rm(folder, { recursive: true }));

const main = join(import.meta.dirname, '../main.ts');

function start(...args: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, ['--conditions=@annals/source', main, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], DATABASE_URL: cli.databaseUrl, ANNALS_TENANT: 't1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A child that has stopped reads no more.
  child.stdin.on('error', () => undefined);
  return child;
}

async function ended(child: ChildProcessWithoutNullStreams) {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** Resolves once stderr has said it. */
function told(child: ChildProcessWithoutNullStreams, what: string): Promise<void> {
  return new Promise((resolve) => {
    child.stderr.on('data', (chunk) => {
      if (String(chunk).includes(what)) resolve();
    });
  });
}

const line = (action: string, n: number) =>
  `${JSON.stringify({ action, occurredAt: '2026-05-01T00:00:00Z', actor: { type: 'system' }, metadata: { n } })}\n`;

test('the process writes data to stdout, the rest to stderr, and ends with the exit code', async () => {
  await writeFile(join(folder, 'a.ndjson'), `${line('load.single', 0)}nonsense\n`);
  const { code, stdout, stderr } = await ended(
    start('import', '--format', 'annals', 'a.ndjson', '--output', 'json'),
  );
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ total: { lines: 2, stored: 1, refused: 1 } });
  const events = stderr
    .trim()
    .split('\n')
    .map((event) => JSON.parse(event) as { event: string });
  expect(events).toContainEqual(expect.objectContaining({ event: 'refused', line: 2 }));
});

test('Ctrl-C lets an import finish what is in hand, and the same import goes on from there', async () => {
  const lines = Array.from({ length: 2_500 }, (_, n) => line('load.imported', n));
  const child = start('import', '--format', 'annals', '-', '--output', 'ndjson');
  const result = ended(child);
  child.stdin.write(lines.slice(0, 2_000).join(''));
  // Progress is told after a batch was stored.
  await told(child, '"progress"');
  child.kill('SIGINT');
  const { code, stdout, stderr } = await result;
  expect(code).toBe(5);
  expect(stderr).toContain('Run the same command again to go on');
  const [total] = stdout
    .trim()
    .split('\n')
    .slice(-1)
    .map((row) => JSON.parse(row) as { lines: number; stored: number });
  expect(total?.stored).toBeGreaterThan(0);
  expect(total?.stored).toBeLessThan(2_500);
  await writeFile(join(folder, 'all.ndjson'), lines.join(''));
  const again = await ended(start('import', '--format', 'annals', 'all.ndjson', '--output', 'json'));
  expect(again.code).toBe(0);
  const counted = await cli.run(['stats', '-q', 'action:load.imported', '--output', 'json']);
  expect(JSON.parse(counted.stdout)).toMatchObject({ rows: [{ count: 2_500 }] });
});

test('an export whose reader goes away ends quietly', async () => {
  const child = start('export');
  child.stdout.once('data', () => child.stdout.destroy());
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number]>]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('an export that is interrupted leaves no file', async () => {
  const child = start('export', '--out', 'a.ndjson', '--output', 'json');
  const result = ended(child);
  await told(child, '"progress"');
  child.kill('SIGINT');
  const { code } = await result;
  // It may have been done already; then the file is whole.
  expect(await readdir(folder)).toEqual(code === 0 ? ['a.ndjson'] : []);
});

test('Ctrl-C stops a job after the chunk in hand, and it can be resumed to its end', async () => {
  const query = 'action:load.stored has:metadata.n';
  const child = start(
    'redact',
    '-q',
    query,
    '-f',
    'metadata.n',
    '--apply',
    '--confirm',
    't1',
    '--output',
    'json',
  );
  const result = ended(child);
  await told(child, '"progress"');
  child.kill('SIGINT');
  const { code, stdout } = await result;
  // It may have been done already.
  if (code === 5) {
    expect(stdout).toBe('');
    const [job] = (await cli.lines(['jobs', 'list', '-n', '1'])) as { id: string }[];
    expect(await cli.run(['jobs', 'resume', job?.id ?? ''])).toMatchObject({ code: 0 });
  } else {
    expect(code).toBe(0);
  }
  expect(await cli.lines(['list', '-q', query])).toEqual([]);
});

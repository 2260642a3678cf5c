import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { OpenedAnnals } from '@annals/server';
import { openAnnals } from '@annals/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestCli, type TestCli } from '../testing.ts';

let cli: TestCli;
/** What brings into the log what is stored. */
let server: OpenedAnnals;
beforeAll(async () => {
  cli = await openTestCli();
  server = await openAnnals({ database: { url: cli.databaseUrl } });
  await server.startWorker();
});
afterAll(async () => {
  await server.close();
  await cli.close();
});

function start(...args: string[]): ChildProcessWithoutNullStreams {
  const main = join(import.meta.dirname, '../main.ts');
  return spawn(process.execPath, ['--conditions=@annals/source', main, 'tail', ...args], {
    env: { PATH: process.env['PATH'], DATABASE_URL: cli.databaseUrl, ANNALS_TENANT: 't1' },
  });
}

async function log(...actions: string[]): Promise<void> {
  for (const action of actions) {
    const stdin = `${JSON.stringify({ action, occurredAt: '2026-05-01T00:00:00Z', actor: { type: 'system' } })}\n`;
    expect((await cli.run(['import', '--format', 'annals', '-'], { stdin })).code).toBe(0);
  }
}

/** So many lines of standard output. */
async function read(child: ChildProcessWithoutNullStreams, count: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) if (lines.push(line) === count) break;
  return lines;
}

async function end(child: ChildProcessWithoutNullStreams) {
  const stderr = text(child.stderr);
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, cursor: /--cursor (\S+)/.exec((await stderr).replaceAll('"', ' '))?.[1] };
}

const actionsOf = (lines: readonly string[]) =>
  lines.map((line) => (JSON.parse(line) as { action: string }).action);

test('activities are written as they come, until Ctrl-C; the cursor told then goes on behind them', async () => {
  await log('tail.first', 'other.thing');
  const child = start('--query', 'action:tail.*', '--from', 'start', '--output', 'ndjson');
  expect(actionsOf(await read(child, 1))).toEqual(['tail.first']);
  const { code, cursor } = await end(child);
  expect(code).toBe(0);
  await log('tail.second');
  const next = start('--query', 'action:tail.*', '--cursor', cursor ?? '', '--output', 'json');
  expect(actionsOf(await read(next, 1))).toEqual(['tail.second']);
  expect((await end(next)).code).toBe(0);
}, 90_000);

test('a tail ends when nobody reads its output any more', async () => {
  await log('head.one');
  const child = start('--from', 'start');
  const exit = once(child, 'exit');
  expect((await read(child, 1))[0]).toMatch(/^occurred +severity +action/);
  child.stdout.destroy();
  // Written to what is closed.
  await log('head.two');
  expect(await exit).toEqual([0, null]);
}, 90_000);

test('a query that does not parse is shown with a mark, and is a mistake of the command line', async () => {
  const { code, stderr } = await cli.run(['tail', '--query', 'nonsense:x']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^annals: --query: .*\n {2}nonsense:x\n {2}\^/);
});

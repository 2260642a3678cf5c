import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createAnnals } from '@annals/client';
import { createTestDatabase } from '@annals/testkit';
import { afterEach, expect, test } from 'vitest';
import { type AnnalsProcess, makeDataDir, removeDataDir, startAnnalsProcess } from './process.ts';

const dataDirs: string[] = [];
const running: AnnalsProcess[] = [];

async function start(
  options: { dataDir?: string; env?: Record<string, string> } = {},
): Promise<AnnalsProcess> {
  const dataDir = options.dataDir ?? (await makeDataDir());
  if (!dataDirs.includes(dataDir)) dataDirs.push(dataDir);
  const annals = await startAnnalsProcess({ dataDir, env: options.env ?? {} });
  running.push(annals);
  return annals;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((annals) => annals.stop()));
  await Promise.all(dataDirs.splice(0).map(removeDataDir));
});

test('the first start makes the demo, the second finds it, and Ctrl-C ends both cleanly', async () => {
  const first = await start({ env: { ANNALS_DEMO: '1' } });
  const seen = await createAnnals(first).count('');
  expect(seen).toEqual({ count: 10_000, capped: true });
  expect((await stat(join(first.dataDir, 'dev.json'))).mode & 0o777).toBe(0o600);
  const stored = await createAnnals(first).log({ action: 'hello.said', actor: { type: 'user', id: 'me' } });
  expect(await first.stop()).toBe(0);

  const second = await start({ dataDir: first.dataDir, env: { ANNALS_DEMO: '1' } });
  expect(second.apiKey).toBe(first.apiKey);
  const { rows } = await createAnnals(second).stats({ query: '-action:annals.*' });
  expect(rows[0]?.count).toBeGreaterThan(15_000);
  expect((await createAnnals(second).get(stored.id)).action).toBe('hello.said');
  const log = second.log();
  expect(log).not.toContain('demo activities');
  expect(await second.stop()).toBe(0);
}, 60_000);

test('ANNALS_DEMO=0 makes the tenant and its key, and nothing else', async () => {
  const annals = await start({ env: { ANNALS_DEMO: '0' } });
  expect(await createAnnals(annals).count('-action:annals.*')).toEqual({ count: 0, capped: false });
});

test('health, readiness and metrics answer without a key, and metrics count what was logged', async () => {
  const annals = await start();
  expect((await fetch(`${annals.url}/healthz`)).status).toBe(200);
  expect((await fetch(`${annals.url}/readyz`)).status).toBe(200);
  const result = await createAnnals(annals).logMany([
    { action: 'a.b', actor: { type: 'user' } },
    { action: 'Not an action', actor: { type: 'user' } },
  ]);
  expect(result).toMatchObject({ stored: 1, refused: 1 });
  const metrics = await (await fetch(`${annals.url}/metrics`)).text();
  expect(metrics).toContain('annals_activities_total{result="stored"} 1');
  expect(metrics).toContain('annals_activities_total{result="refused"} 1');
  expect(metrics).toMatch(/annals_database_connections\{role="app",state="idle"\} \d/);
  expect(metrics).toContain('annals_queue_jobs{state="waiting"} 0');
});

test('a taken port is told in one sentence, and nothing is left running', async () => {
  const annals = await start();
  const { port } = new URL(annals.url);
  const dataDir = await makeDataDir();
  dataDirs.push(dataDir);
  await expect(startAnnalsProcess({ dataDir, env: { ANNALS_PORT: port } })).rejects.toThrow(
    `Port ${port} of 127.0.0.1 is taken; stop what uses it or set ANNALS_PORT.`,
  );
});

test('with DATABASE_URL nothing embedded runs, and no key or demo is made', async () => {
  const database = await createTestDatabase({ template: { name: 'empty', create: () => Promise.resolve() } });
  const dataDir = await makeDataDir();
  dataDirs.push(dataDir);
  const root = resolve(import.meta.dirname, '../..');
  const child = spawn(
    process.execPath,
    ['--conditions=@annals/source', join(root, 'services/api/src/main.ts')],
    {
      env: { ...process.env, DATABASE_URL: database.url, ANNALS_PORT: '0', ANNALS_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    child.stdout.setEncoding('utf8');
    const [line] = (await once(child.stdout, 'data')) as [string];
    const url = /http:\/\/\S+/.exec(line)?.[0] ?? '';
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await expect(readFile(join(dataDir, 'dev.json'))).rejects.toThrow('ENOENT');
    await expect(createAnnals({ url, apiKey: 'annals_none' }).count('')).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  } finally {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    await database.drop();
  }
});

import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireProcessLock, hostId } from './process-lock.ts';
import { processMarker } from './process-table.ts';

const log = pino({ level: 'silent' });
let dataDir: string;
let file: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'annals-lock-'));
  file = join(dataDir, 'annals.pid');
});

afterEach(() => rm(dataDir, { recursive: true }));

const alive = () => ({ pid: process.pid, marker: processMarker(process.pid), host: hostId(), claim: 'x' });

test('a lock is held until it is released', async () => {
  const lock = await acquireProcessLock({ dataDir, log });
  await expect(acquireProcessLock({ dataDir, log })).rejects.toThrow(
    `The data directory ${dataDir} is in use by the running Annals process ${process.pid}; stop it`,
  );
  await lock.release();
  expect(await readdir(dataDir)).toEqual([]);
  await (await acquireProcessLock({ dataDir, log })).release();
});

test.each([
  ['of a process that is gone', () => ({ ...alive(), pid: 2 ** 22 + 1 })],
  ['whose number now belongs to another process', () => ({ ...alive(), marker: 'started at another time' })],
  ['torn by a crash', () => undefined],
])('a file %s is taken over', async (_, content) => {
  await writeFile(file, JSON.stringify(content()) ?? '{"pid":');
  const lock = await acquireProcessLock({ dataDir, log });
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid });
  await lock.release();
});

test('exactly one of many starts takes over a stale file', async () => {
  await writeFile(file, JSON.stringify({ ...alive(), marker: 'stale' }));
  const starts = Array.from({ length: 12 }, () => acquireProcessLock({ dataDir, log }));
  const results = await Promise.allSettled(starts);
  const winners = results.filter((result) => result.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  await winners[0]?.value.release();
  expect(await readdir(dataDir)).toEqual([]);
});

test('a holder on another host is live as long as its heartbeat goes on', async () => {
  await writeFile(file, JSON.stringify({ ...alive(), host: 'elsewhere pid:[1]' }));
  let beats = 0;
  const heartbeat = setInterval(() => void utimes(file, beats, (beats += 1)), 5);
  const start = acquireProcessLock({ dataDir, log, watchMs: 500 });
  await expect(start).rejects.toThrow(
    `in use by the running Annals process ${process.pid} on host elsewhere;`,
  );
  clearInterval(heartbeat);
});

test('a file of another host without a heartbeat is taken over', async () => {
  await writeFile(file, JSON.stringify({ ...alive(), host: 'elsewhere pid:[1]' }));
  const lock = await acquireProcessLock({ dataDir, log, watchMs: 20 });
  await lock.release();
});

test('releasing leaves the file of whoever holds it now', async () => {
  const lock = await acquireProcessLock({ dataDir, log });
  const successor = JSON.stringify(alive());
  await writeFile(file, successor);
  await lock.release();
  expect(await readFile(file, 'utf8')).toBe(successor);
});

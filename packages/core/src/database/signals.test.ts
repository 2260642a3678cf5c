import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestCore, type TestCore } from '../testing.ts';
import { type Database, openDatabase } from './database.ts';
import type { Channel } from './signals.ts';

let core: TestCore;
let other: Database;
let admin: Client;
beforeAll(async () => {
  core = await openTestCore();
  other = await openDatabase({ urls: { app: core.url, custodian: core.url }, setRole: true, poolMax: 2 });
  admin = new Client({ connectionString: core.url });
  await admin.connect();
  // The first signals say that the connections which listen are there.
  await Promise.all([next(core.services.db, 'annals_checkpoint'), next(other, 'annals_checkpoint')]);
});
afterAll(async () => {
  await admin.end();
  await other.close();
  await core.close();
});

/** Resolves at the next signal. */
function next(db: Database, channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    const off = db.signals.on(channel, () => {
      off();
      resolve();
    });
  });
}

test('a commit wakes whoever waits in the same process and in another one', async () => {
  const woken = Promise.all([next(core.services.db, 'annals_log'), next(other, 'annals_log')]);
  await core.services.db.transaction('t', async (tx) => tx.notify('annals_log'));
  await woken;
});

test('what was undone wakes nobody', async () => {
  const heard: string[] = [];
  const off = core.services.db.signals.on('annals_checkpoint', () => heard.push('signal'));
  const undone = core.services.db.transaction('t', async (tx) => {
    tx.notify('annals_checkpoint');
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  expect(heard).toEqual([]);
  await core.services.db.transaction('t', async (tx) => tx.notify('annals_checkpoint'));
  expect(heard).toEqual(['signal']);
  off();
});

test('of many signals at once none that is the last is lost, and few go over the wire', async () => {
  let arrived = 0;
  const off = other.signals.on('annals_batch', () => (arrived += 1));
  for (let n = 0; n < 1_000; n += 1) core.services.db.signals.notify('annals_batch');
  // Sent on the same connection as the signals, one after the other.
  await next(other, 'annals_batch');
  const last = next(other, 'annals_batch');
  core.services.db.signals.notify('annals_batch');
  await last;
  off();
  expect(arrived).toBeLessThan(10);
});

test('a lost connection is made again, and what was missed meanwhile is made up for', async () => {
  const woken = next(other, 'annals_log');
  await admin.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = current_database() and application_name = 'annals signals'`,
  );
  await woken;
});

test('closing ends the connection that listens, also while it is being made', async () => {
  const db = await openDatabase({ urls: { app: core.url, custodian: core.url }, setRole: true, poolMax: 1 });
  db.signals.on('annals_log', () => undefined);
  await db.close();
  db.signals.notify('annals_log');
  const unreachable = await openDatabase({
    urls: { app: 'postgresql://nobody@127.0.0.1:1/none', custodian: core.url },
    setRole: true,
  });
  unreachable.signals.on('annals_log', () => undefined);
  unreachable.signals.notify('annals_log');
  await unreachable.close();
});

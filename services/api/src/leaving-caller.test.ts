import { openTestServer, type TestServer } from '@annals/server/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type HttpServer, listen } from './http.ts';
import type { Metrics } from './metrics.ts';

let server: TestServer;
let http: HttpServer;
let admin: Client;
/** Holds a lock in a transaction, which sees the statements of others as they were when it first looked. */
let blocker: Client;
beforeAll(async () => {
  server = await openTestServer();
  http = await listen({ host: '127.0.0.1', port: 0 });
  http.open({
    handler: server.handle,
    metrics: {} as Metrics,
    isReady: () => Promise.resolve(true),
    warnings: () => Promise.resolve([]),
  });
  admin = new Client({ connectionString: server.core.url });
  await admin.connect();
  blocker = new Client({ connectionString: server.core.url });
  await blocker.connect();
});
afterAll(async () => {
  await http.close(0);
  await Promise.all([admin.end(), blocker.end()]);
  await server.close();
});

/** A tenant of which more is exported than what stands between the server and a reader who does not read. */
async function exportedMuch(): Promise<string> {
  const key = await server.key();
  const metadata = { note: 'x'.repeat(60_000) };
  for (let call = 0; call < 8; call += 1) {
    const activities = Array.from({ length: 60 }, () => ({
      action: 'a.b',
      actor: { type: 'user' },
      metadata,
    }));
    await server.call('activity.log', { activities }, key);
  }
  return key;
}

test('an export whose reader stands still waits without a transaction, and is whole when it is read on', async () => {
  const key = await exportedMuch();
  const headers = { authorization: `Bearer ${key}` };
  const url = `http://127.0.0.1:${http.port}/api/v1/export?query=action:a.b`;
  const { body } = await fetch(url, { headers });
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let lines = 0;
  const readSome = async () => {
    const { value, done } = (await reader?.read()) ?? { done: true };
    lines += value?.split('\n').length ?? 1;
    lines -= 1;
    return !done;
  };
  await readSome();
  await vi.waitFor(async () => expect(await transactionsOpen()).toBe(0), 5_000);
  expect(lines).toBeLessThan(480);
  while (await readSome());
  expect(lines).toBe(480);
});

async function transactionsOpen(): Promise<number> {
  const { rowCount } = await admin.query(
    `select from pg_stat_activity where application_name = 'annals app' and xact_start is not null
      and datname = current_database()`,
  );
  return rowCount ?? -1;
}

async function readsInHand(): Promise<number> {
  const { rowCount } = await admin.query(
    `select from pg_stat_activity where application_name = 'annals app' and state = 'active'
      and query like '%annals.activity%' and datname = current_database()`,
  );
  return rowCount ?? -1;
}

const asked = ['list', 'count', 'stats', 'facets', 'export'].map((name) => `activity.${name}`);

test.each([...asked, 'api/v1/export'])(
  'the statement of %s ends in the database when the caller hangs up',
  async (name) => {
    const key = await server.key();
    // Reads wait for it without end.
    await blocker.query('begin; lock table annals.activity in access exclusive mode');
    try {
      const caller = new AbortController();
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
      const input = name === 'activity.facets' ? { fields: ['action'] } : {};
      const body = JSON.stringify(name === 'api/v1/export' ? input : { json: input });
      const init = { method: 'POST', headers, body, signal: caller.signal };
      const path = name === 'api/v1/export' ? name : `trpc/${name}`;
      const answer = fetch(`http://127.0.0.1:${http.port}/${path}`, init).catch(() => undefined);
      await vi.waitFor(async () => expect(await readsInHand()).toBe(1), 5_000);
      caller.abort();
      await vi.waitFor(async () => expect(await readsInHand()).toBe(0), 5_000);
      await answer;
    } finally {
      await blocker.query('rollback');
    }
  },
);

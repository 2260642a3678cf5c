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

async function readsInHand(): Promise<number> {
  const { rowCount } = await admin.query(
    `select from pg_stat_activity where application_name = 'annals app' and state = 'active'
      and query like '%annals.activity%' and datname = current_database()`,
  );
  return rowCount ?? -1;
}

test.each(['activity.list', 'activity.count', 'activity.stats', 'activity.facets', 'activity.export'])(
  'the statement of %s ends in the database when the caller hangs up',
  async (name) => {
    const key = await server.key();
    // Reads wait for it without end.
    await blocker.query('begin; lock table annals.activity in access exclusive mode');
    try {
      const caller = new AbortController();
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
      const body = JSON.stringify({ json: name === 'activity.facets' ? { fields: ['action'] } : {} });
      const init = { method: 'POST', headers, body, signal: caller.signal };
      const answer = fetch(`http://127.0.0.1:${http.port}/trpc/${name}`, init).catch(() => undefined);
      await vi.waitFor(async () => expect(await readsInHand()).toBe(1), 5_000);
      caller.abort();
      await vi.waitFor(async () => expect(await readsInHand()).toBe(0), 5_000);
      await answer;
    } finally {
      await blocker.query('rollback');
    }
  },
);

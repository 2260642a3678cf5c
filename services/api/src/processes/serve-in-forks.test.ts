import { request } from 'node:http';
import { openTestServer, type TestServer } from '@annals/server/testing';
import { Client } from 'pg';
import { v7 } from 'uuid';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type ServerProcess, startServerProcess } from './testing.ts';

let store: TestServer;
let key: string;
let server: ServerProcess;
/** Holds locks that calls wait for. */
let blocker: Client;
// Each start takes seconds, and a busy machine's many.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });
beforeAll(async () => {
  store = await openTestServer();
  key = await store.key();
  blocker = new Client({ connectionString: store.core.url });
  await blocker.connect();
  server = await startServerProcess(store.core.url, { ANNALS_PROCESSES: '2' });
});
afterEach(async () => {
  // Each test leaves two that serve.
  if (server.exitCode() === undefined)
    await vi.waitFor(() => expect(server.serving()).toHaveLength(2), 20_000);
});
afterAll(async () => {
  await server.kill();
  await blocker.end();
  await store.close();
});

/** A POST over a connection of its own. */
function post(path: string, json: object, timeoutMs: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const call = request(`${server.url}${path}`, { method: 'POST', agent: false, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    });
    call.once('error', reject);
    call.setTimeout(timeoutMs, () => call.destroy(new Error('no answer')));
    call.end(JSON.stringify({ json }));
  });
}

const anActivity = (id = v7()) => ({ id, action: 'a.b', actor: { type: 'user' } });
const log = (id?: string, timeoutMs = 25_000) =>
  post('/trpc/activity.log', { activities: [anActivity(id)] }, timeoutMs);

async function stored(): Promise<number> {
  const body = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^annals_activities_total\{result="stored"\} (\d+)$/m.exec(body)?.[1] ?? 0);
}

test('each of two processes answers while the other stands still, which loses no call', async () => {
  const [one, other] = server.serving() as [number, number];
  for (const still of [one, other]) {
    process.kill(still, 'SIGSTOP');
    // A process that does not take its connection is handed no other: one call waits at most.
    const calls = Array.from({ length: 4 }, () => log());
    let answered = 0;
    for (const call of calls) void call.then(() => (answered += 1));
    await vi.waitFor(() => expect(answered).toBeGreaterThanOrEqual(3), 10_000);
    process.kill(still, 'SIGCONT');
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  }
});

test('what the processes count adds up', async () => {
  const before = await stored();
  await Promise.all(Array.from({ length: 20 }, () => log()));
  expect(await stored()).toBe(before + 20);
});

test('a killed process is replaced; what was acknowledged is stored, and what was counted stays', async () => {
  const [victim, other] = server.serving() as [number, number];
  const before = await stored();
  const ids = Array.from({ length: 60 }, () => v7());
  const logged = async (id: string): Promise<void> => {
    // As the SDK does: again, with the same id, until there is an answer. A connection that was just being handed to
    // a process as that is killed is kept open by Node, and answered by nobody.
    const answer = await log(id, 5_000).catch(() => undefined);
    if (answer?.status !== 200) await logged(id);
  };
  const [first = '', ...rest] = ids;
  await logged(first);
  const calls = rest.map(logged);
  process.kill(victim, 'SIGKILL');
  await Promise.all(calls);
  await vi.waitFor(() => expect(server.serving()).toHaveLength(2), 20_000);
  expect(server.serving()).toContain(other);
  expect(server.serving()).not.toContain(victim);
  const { rows } = await blocker.query('select id from annals.activity where id = any($1)', [ids]);
  expect(rows).toHaveLength(ids.length);
  expect(await stored()).toBeGreaterThanOrEqual(before);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^annals_processes_replaced_total 1$/m);
});

test('readiness tells what the first process knows', async () => {
  const answer = await fetch(`${server.url}/readyz`);
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringMatching(/^ready/)]);
});

test('a port that is taken is told in one sentence, however many processes wanted it', async () => {
  const { port } = new URL(server.url);
  const another = startServerProcess(store.core.url, { ANNALS_PROCESSES: '2', ANNALS_PORT: port });
  await expect(another).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken`);
});

test('SIGTERM to all of them: a call in hand is answered, then the processes end, and the first one cleanly', async () => {
  const forks = server.serving();
  await blocker.query('begin; lock table annals.batch in access exclusive mode');
  const call = log();
  await vi.waitFor(async () => expect(await waiting()).toBeGreaterThan(0), 10_000);
  for (const pid of [...forks, server.pid]) process.kill(pid, 'SIGTERM');
  await vi.waitFor(refused, 10_000);
  await blocker.query('rollback');
  expect((await call).status).toBe(200);
  expect(await server.exited).toBe(0);
  expect(forks.filter(isAlive)).toEqual([]);
});

test('when the first process is killed, those that serve end too', async () => {
  server = await startServerProcess(store.core.url, { ANNALS_PROCESSES: '2' });
  const forks = server.serving();
  expect(forks).toHaveLength(2);
  await server.kill();
  await vi.waitFor(() => expect(forks.filter(isAlive)).toEqual([]), 10_000);
});

/** Each look has its own bound: a connection taken as the processes cease to listen is left open until they have ended. */
async function refused(): Promise<void> {
  const look = fetch(server.url, { signal: AbortSignal.timeout(1_000) });
  await expect(look).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
}

async function waiting(): Promise<number> {
  const { rowCount } = await blocker.query(
    `select from pg_locks where not granted and relation = 'annals.batch'::regclass`,
  );
  return rowCount ?? 0;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAnnals } from '@annals/client';
import { scopes } from '@annals/contract';
import { bootstrapKey, systemClock } from '@annals/core';
import { openTestCore, type TestCore } from '@annals/core/testing';
import { createFetchHandler } from '@annals/server';
import { afterAll, beforeAll, expect, test } from 'vitest';

const writers = 50;
const perWriter = 12;
const tenantId = 'exactly-once';
/** How many of all requests are lost before the server sees them, or after it has handled them. */
const lostBefore = 0.15;
const lostAfter = 0.35;

let core: TestCore;
let server: Server;
let url: string;
let apiKey: string;
/** What the server really did. */
const seen = { handled: 0, repliesDropped: 0 };

beforeAll(async () => {
  core = await openTestCore();
  const services = { ...core.services, clock: systemClock };
  ({ secret: apiKey } = await bootstrapKey(services, { tenantId, name: 'writers', scopes }));
  const handle = createFetchHandler({ services });
  server = createServer((incoming, outgoing) => void answer(handle, incoming, outgoing)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await core.close();
});

/** Handle the request, and then, where it is told so, cut the connection instead of replying. */
async function answer(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  const init = { method: incoming.method ?? 'POST', headers, body: Buffer.concat(chunks) };
  const response = await handle(new Request(`${url}${incoming.url}`, init));
  const body = await response.text();
  seen.handled += 1;
  if (incoming.headers['x-drop-reply']) {
    seen.repliesDropped += 1;
    incoming.socket.destroy();
    return;
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(body);
}

/** A small generator of its own for each writer, so that a run does not depend on who comes first. */
function seededRandom(seed: number): () => number {
  let state = ((seed + 1) * 2_654_435_761) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A network that loses some requests, and some replies. */
function lossyFetch(random: () => number) {
  return async (to: string, init: RequestInit): Promise<Response> => {
    const draw = random();
    if (draw < lostBefore) throw new TypeError('fetch failed');
    const headers = { ...(init.headers as Record<string, string>) };
    if (draw < lostBefore + lostAfter) headers['x-drop-reply'] = '1';
    return fetch(to, { ...init, headers });
  };
}

/** Log one by one and several at once, each activity carrying the writer and its own number. */
async function write(writer: number): Promise<string[]> {
  const random = seededRandom(writer);
  const retry = { attemptsMax: 100, baseMs: 1, pauseMaxMs: 5 };
  const client = createAnnals({ url, apiKey, fetch: lossyFetch(random), retry });
  const activity = (number: number) => ({
    action: 'load.written',
    actor: { type: 'worker' as const, id: `writer-${writer}` },
    metadata: { number },
  });
  const statuses: string[] = [];
  for (let number = 0; number < perWriter; ) {
    const size = random() < 0.5 ? 1 : Math.min(4, perWriter - number);
    const batch = Array.from({ length: size }, (_, index) => activity(number + index));
    const [only] = batch;
    if (size === 1 && only) statuses.push((await client.log(only)).status);
    else statuses.push(...(await client.logMany(batch)).results.map(({ status }) => status));
    number += size;
  }
  return statuses;
}

test('each activity of 50 writers who lose requests and replies at random is stored exactly once', async () => {
  const statuses = (await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))).flat();
  expect(statuses).toHaveLength(writers * perWriter);
  expect(new Set(statuses)).toEqual(new Set(['stored', 'duplicate']));
  // Some replies were lost after the server had stored what it was sent; without retries that were safe this
  // would have stored them again.
  expect(seen.repliesDropped).toBeGreaterThan(writers);
  expect(statuses.filter((status) => status === 'duplicate').length).toBeGreaterThan(writers);

  const reader = createAnnals({ url, apiKey });
  const found: string[] = [];
  for await (const { actor, metadata } of reader.list('action:load.written', { pageSize: 1_000 })) {
    found.push(`${actor.id} ${JSON.stringify(metadata['number'])}`);
  }
  const expected = Array.from({ length: writers }, (_, writer) =>
    Array.from({ length: perWriter }, (_, number) => `writer-${writer} ${number}`),
  ).flat();
  expect(found.toSorted()).toEqual(expected.toSorted());
}, 60_000);

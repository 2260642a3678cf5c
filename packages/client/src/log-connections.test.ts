import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAnnals } from './create-annals.ts';
import { noPauses } from './testing.ts';

const said = { action: 'hello.said', actor: { type: 'user' as const, id: 'ada' } };

/** Ids in the order in which they came; `cut` says which requests are read, and then dropped without an answer. */
const ids: string[] = [];
let cut: (request: number) => boolean;
let connections = 0;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { json } = JSON.parse(await text(request)) as { json: { activities: { id: string }[] } };
  ids.push(...json.activities.map(({ id }) => id));
  if (cut(ids.length)) {
    response.socket?.destroy();
    return;
  }
  const results = json.activities.map(({ id }) => ({ status: 'duplicate', id, occurredAt: new Date(0) }));
  response.end(JSON.stringify({ result: { data: { json: { results, batches: [] } } } }));
}

const server = createServer((request, response) => void answer(request, response));
server.on('connection', () => (connections += 1));
const urlOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeEach(async () => {
  ids.length = 0;
  connections = 0;
  cut = () => false;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('a connection is kept alive from one call to the next', async () => {
  const client = createAnnals({ url: urlOf() });
  for (let call = 0; call < 10; call += 1) await client.log(said);
  expect(connections).toBe(1);
});

test('a connection that was dropped, between calls or in the midst of one, is made anew, and the activity is the same', async () => {
  cut = (request) => request === 3;
  const client = createAnnals({ url: urlOf(), retry: noPauses });
  await client.log(said);
  server.closeAllConnections();
  const second = await client.log(said);
  const third = await client.log(said);
  expect(ids.slice(1)).toEqual([second.id, third.id, third.id]);
});

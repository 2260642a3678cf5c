import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { openTestServer, type TestServer } from '@annals/server/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpServer, listen } from './http.ts';
import type { Metrics } from './metrics.ts';

let server: TestServer;
let http: HttpServer;
beforeAll(async () => {
  server = await openTestServer();
  http = await listen({ host: '127.0.0.1', port: 0, bodyMsMax: 50 });
  http.open({
    handler: server.handle,
    metrics: {} as Metrics,
    isReady: () => Promise.resolve(true),
    warnings: () => Promise.resolve([]),
  });
});
afterAll(async () => {
  await http.close(0);
  await server.close();
});

const importPath = '/api/v1/activities:import';
const line = `${JSON.stringify({ action: 'hello.said', actor: { type: 'user', id: 'ada' } })}\n`;
const lines = (count: number) => line.repeat(count);

async function begin(path: string, key: string): Promise<Socket> {
  const socket = connect(http.port, '127.0.0.1');
  await once(socket, 'connect');
  const headers = [
    'host: annals',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    'connection: close',
  ];
  socket.write(`POST ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\ntransfer-encoding: chunked\r\n\r\n`);
  return socket;
}

const chunk = (part: string) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`;

test('the body of an import takes as long as it takes, and no other', async () => {
  const key = await server.key();
  const importing = await begin(importPath, key);
  importing.write(chunk(lines(1)));
  const other = await begin('/trpc/activity.log', key);
  await once(other.resume(), 'close');
  importing.write(`${chunk(lines(1))}0\r\n\r\n`);
  expect(await text(importing)).toContain('{"totals":{"lines":2,"stored":2,"duplicates":0,"refused":0}}');
});

test('the answer comes while the body is sent', async () => {
  const key = await server.key();
  const importing = await begin(importPath, key);
  let answer = '';
  importing.setEncoding('utf8').on('data', (part: string) => (answer += part));
  // Two groups in hand, so that the first is told.
  while (!answer.includes('"status":"stored"')) {
    importing.write(chunk(lines(500)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  importing.write('0\r\n\r\n');
  await once(importing, 'close');
  expect(answer.slice(-200)).toContain('{"totals":');
});

test.each([
  ['a key that is none', 'annals_none', 401],
  ['another encoding', undefined, 400],
])('%s is told to who is still sending', async (_name, key, status) => {
  const headers = { authorization: `Bearer ${key ?? (await server.key())}`, 'content-encoding': 'br' };
  const part = Buffer.from(lines(10_000));
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if ((sent += 1) > 30) controller.close();
      else controller.enqueue(part);
    },
  });
  const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
  const response = await fetch(`http://127.0.0.1:${http.port}${importPath}`, init);
  expect(response.status).toBe(status);
});

import { expect, test } from 'vitest';
import { listen } from './http.ts';
import type { Metrics } from './metrics.ts';

test('closing ends an event stream at once, and lets a call in hand end', async () => {
  const server = await listen({ host: '127.0.0.1', port: 0 });
  const called = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  server.open({
    handler: async (request) => {
      if (request.url.endsWith('/watch')) {
        const endless = new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array([10])) });
        return new Response(endless, { headers: { 'content-type': 'text/event-stream' } });
      }
      called.resolve();
      await answer.promise;
      return new Response('answered');
    },
    metrics: {} as Metrics,
    isReady: () => Promise.resolve(true),
    warnings: () => Promise.resolve([]),
  });
  const url = `http://127.0.0.1:${server.port}/trpc`;
  const watched = await fetch(`${url}/watch`);
  const call = fetch(`${url}/call`);
  await called.promise;
  const closed = server.close(60_000);
  await expect(watched.text()).rejects.toThrow();
  answer.resolve();
  expect(await (await call).text()).toBe('answered');
  await closed;
});

test('a warning does not make the process unready, and is told', async () => {
  const server = await listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${server.port}/readyz`;
  expect((await fetch(url)).status).toBe(503);
  server.open({
    handler: () => Promise.resolve(new Response()),
    metrics: {} as Metrics,
    isReady: () => Promise.resolve(true),
    warnings: () => Promise.resolve(['a log stands still']),
  });
  const response = await fetch(url);
  expect([response.status, await response.text()]).toEqual([200, 'ready\nwarning: a log stands still']);
  await server.close(0);
});

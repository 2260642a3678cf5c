import { limits } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBodyRoom } from './body-room.ts';
import { createFetchHandler } from './fetch-handler.ts';
import { openTestServer, type TestServer } from './testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

function aRequest(bytes?: number): Request {
  const headers = bytes === undefined ? undefined : { 'content-length': String(bytes) };
  return new Request('http://annals.test', { method: 'POST', body: 'x', ...(headers && { headers }) });
}

test('bodies have room up to the bound, one of unknown length for a share, and one alone always', () => {
  const room = createBodyRoom(limits.callBytesMax);
  const leave = room.take(aRequest(100));
  expect(room.take(aRequest())).toBeDefined();
  expect(room.take(aRequest(limits.callBytesMax - 100))).toBeUndefined();
  expect(room.take(aRequest(limits.callBytesMax - 100 - 256 * 1024))).toBeDefined();
  expect(room.take(aRequest(1))).toBeUndefined();
  expect(room.take(new Request('http://annals.test'))).toBeDefined();
  leave?.();
  expect(room.take(aRequest(1))).toBeDefined();
  expect(createBodyRoom(1).take(aRequest())).toBeDefined();
});

test('past the bound a call is refused as overloaded, unread, and there is room again once others are answered', async () => {
  const mayWrite = Promise.withResolvers<void>();
  const { services } = server.core;
  const write: typeof services.db.write = (writes) => mayWrite.promise.then(() => services.db.write(writes));
  const handle = createFetchHandler({
    services: { ...services, db: { ...services.db, write } },
    bodiesBytesMax: 1_000,
  });
  const key = await server.key({ tenantId: 'crowd', scopes: ['activities:write'] });
  const log = (path = 'activity.log') => {
    const body = JSON.stringify({ json: { activities: [{ ...anActivity(), message: 'x'.repeat(300) }] } });
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': String(body.length),
    };
    return handle(new Request(`http://annals.test/trpc/${path}`, { method: 'POST', body, headers }));
  };
  const first = log();
  const refused = await log();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await refused.json()).toMatchObject({
    error: { json: { data: { annals: { code: 'overloaded' } } } },
  });
  mayWrite.resolve();
  expect((await first).status).toBe(200);
  expect((await log()).status).toBe(200);
});

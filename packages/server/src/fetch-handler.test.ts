import { AnnalsError, ApiKey, type ErrorCode, errorStatus, limits } from '@annals/contract';
import type { Principal, Services } from '@annals/core';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createFetchHandler, type FailedCall, type ServedRequest } from './fetch-handler.ts';
import { operatorPrincipal } from './operator-principal.ts';
import { answerOf, deployment, openTestServer, type TestServer } from './testing.ts';

const served: ServedRequest[] = [];
const failed: FailedCall[] = [];
let server: TestServer;
let key: string;
beforeAll(async () => {
  server = await openTestServer({
    onRequest: (request) => served.push(request),
    onError: (failure) => failed.push(failure),
  });
  key = await server.key();
});
afterAll(() => server.close());

interface Init extends RequestInit {
  readonly headers?: Record<string, string>;
  readonly duplex?: 'half';
}

function request(path: string, init: Init = {}): Request {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers };
  return new Request(`http://test${path}`, { ...init, headers });
}

async function ask(path: string, init?: Init) {
  return answerOf(await server.handle(request(path, init)));
}

/** A call whose authentication throws `cause`, and what is logged of it. */
function failing(cause: unknown) {
  const logged: object[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => void logged.push(fields) };
  const services: Services = { ...server.core.services, log };
  const authenticate = async (): Promise<Principal> => {
    throw cause;
  };
  const handle = createFetchHandler({ services, authenticate });
  const headers = { 'x-request-id': 'req-1' };
  const init = { method: 'POST', body: '{"json":{}}', headers };
  return { logged, answer: handle(request('/trpc/key.current', init)).then(answerOf) };
}

describe('calls', () => {
  test('a record that is logged is read back, dates as dates', async () => {
    const activity = anActivity();
    const logged = await server.call('activity.log', { activities: [activity] }, key);
    expect(logged).toMatchObject({ status: 200, data: { stored: 1, results: [{ status: 'stored' }] } });
    const got = await server.call('activity.get', { id: activity.id }, key);
    expect(got).toMatchObject({ status: 200, data: { id: activity.id, occurredAt: activity.occurredAt } });
  });

  test('queries are answered by GET as well, mutations by POST only', async () => {
    const input = encodeURIComponent(JSON.stringify({ json: {} }));
    expect(await ask(`/trpc/key.current?input=${input}`)).toMatchObject({ status: 200 });
    expect(await ask(`/trpc/key.create?input=${input}`)).toMatchObject({
      status: 400,
      error: { code: 'invalid_input', message: 'the procedure must be called by POST' },
    });
  });

  test('a batch is answered call by call and authenticated once', async () => {
    const authenticate = vi.fn<() => Promise<Principal>>(async () => operatorPrincipal());
    const handle = createFetchHandler({ services: server.core.services, authenticate });
    const body = JSON.stringify({ 0: { json: {} }, 1: { json: { id: 'x' } } });
    const init = { method: 'POST', body };
    const response = await handle(request('/trpc/tenant.list,activity.get?batch=1', init));
    expect(response.status).toBe(207);
    const [list, get] = (await response.json()) as [unknown, unknown];
    expect(list).toHaveProperty('result.data.json.tenants');
    expect(get).toMatchObject({
      error: { json: { data: { annals: { code: 'invalid_input', path: 'id' } } } },
    });
    expect(authenticate).toHaveBeenCalledTimes(1);
  });

  test('a batch can be answered line by line', async () => {
    const headers = { 'trpc-accept': 'application/jsonl' };
    const init = { method: 'POST', body: '{"0":{"json":{}},"1":{"json":{}}}', headers };
    const { status, text } = await ask('/trpc/key.current,activity.get?batch=1', init);
    expect(status).toBe(200);
    expect(text).toContain('"scopes":["activities:write"');
    expect(text).toContain('"code":"invalid_input"');
  });

  test('of activity.log alone a batch takes 64 calls, one for each tenant of a client', async () => {
    const key = await server.key();
    const ask = async (calls: number) => {
      const input = { json: { activities: [anActivity()] } };
      const body = JSON.stringify(Object.fromEntries(Array.from({ length: calls }, (_, at) => [at, input])));
      const path = Array.from({ length: calls }, () => 'activity.log').join(',');
      return server.post(`${path}?batch=1`, body, key);
    };
    const { status, text } = await ask(64);
    expect([status, text.match(/"results"/g)?.length]).toEqual([200, 64]);
    expect((await ask(65)).status).toBe(400);
  });

  test('a batch of more than 10 calls is refused whole', async () => {
    const paths = Array.from({ length: 11 }, () => 'tenant.list').join(',');
    const answer = await ask(`/trpc/${paths}?batch=1`, { method: 'POST', body: '{}' });
    expect(answer).toMatchObject({ status: 400, error: { code: 'invalid_input' } });
  });

  test('the operator in process may name any tenant, and is told it has no key', async () => {
    await server.key({ tenantId: 'named' });
    const services = server.core.services;
    const handle = createFetchHandler({ services, authenticate: async () => operatorPrincipal() });
    const call = async (name: string, input: object) =>
      answerOf(
        await handle(request(`/trpc/${name}`, { method: 'POST', body: JSON.stringify({ json: input }) })),
      );
    expect(await call('key.list', { tenantId: 'named' })).toMatchObject({ status: 200 });
    expect(await call('key.current', {})).toMatchObject({ status: 404, error: { code: 'not_found' } });
  });
});

describe('who calls', () => {
  test('key.current answers every kind of key', async () => {
    const root = await server.key({ ...deployment, scopes: ['stats:read'] });
    const answer = await server.call('key.current', {}, root);
    expect(ApiKey.parse(answer.data)).toMatchObject({ scopes: ['stats:read'], name: 'test' });
    expect(answer.data).not.toHaveProperty('tenantId');
  });

  test('without a valid key the answer is 401, says how to authenticate, and reads no input', async () => {
    for (const authorization of ['', 'Bearer', 'Basic x', `Bearer ${key}x`, key]) {
      const answer = await ask('/trpc/activity.list', {
        method: 'POST',
        body: '{',
        headers: { authorization },
      });
      expect(answer).toMatchObject({ status: 401, error: { code: 'unauthenticated' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('a missing scope is named before the input is read', async () => {
    const reader = await server.key({ scopes: ['activities:read'] });
    expect(await server.post('key.create', '{', reader)).toMatchObject({
      status: 403,
      error: { code: 'forbidden', message: 'the key needs the scope admin' },
    });
  });

  test('what a refused caller still sends is read to nowhere, so that it gets to see the answer', async () => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        if (sent > 30) controller.close();
        else controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const headers = { authorization: '' };
    const answer = await ask('/trpc/activity.log', { method: 'POST', body, duplex: 'half', headers });
    expect(answer.status).toBe(401);
    expect(sent).toBe(31);
  });

  test("a deployment's key must say which tenant it writes to, and reads its own", async () => {
    const root = await server.key(deployment);
    const filter = { actor: 'key:start', target: root.slice(0, 'annals_'.length + 16) };
    expect(await server.call('activity.log', { activities: [anActivity()] }, root)).toMatchObject({
      status: 400,
      error: { code: 'invalid_input', path: 'tenantId' },
    });
    expect(await server.call('activity.list', { filter }, root)).toMatchObject({
      status: 200,
      data: { activities: [{ action: 'annals.key_created', tenantId: '*' }] },
    });
  });
});

describe('errors', () => {
  test.each([
    ['a field', 'activity.get', { id: 'nope' }, { path: 'id', message: 'must be a UUID of version 7' }],
    ['a field too many', 'activity.get', { id: '', sql: 1 }, { path: 'id' }],
    ['an unknown field', 'key.list', { sql: 1 }, { path: 'sql', message: 'is not a known field' }],
    ['a number too big', 'activity.list', { limit: 1_001 }, { path: 'limit', limit: 1_000 }],
    [
      'a list too long',
      'activity.log',
      { activities: Array(1_001).fill(0) },
      { path: 'activities', limit: 1_000 },
    ],
    ['a nested field', 'activity.stats', { groupBy: ['action', 'colour'] }, { path: 'groupBy.1' }],
    ['a filter', 'activity.list', { filter: { severityAtLeast: 'bad' } }, { path: 'filter.severityAtLeast' }],
    ['no input', 'activity.list', undefined, {}],
  ] as const)('an input is refused by path and limit: %s', async (...[, name, input, expected]) => {
    const answer = await server.call(name, input, key);
    expect(answer.status).toBe(400);
    expect(answer.error).toMatchObject({ code: 'invalid_input', ...expected });
  });

  test('a query text that does not parse names the position', async () => {
    const answer = await server.call('activity.list', { query: 'actor:alice outcome:' }, key);
    expect(answer).toMatchObject({ status: 400, error: { code: 'invalid_query', position: 20 } });
  });

  test.each<[string, string, Init]>([
    ['no such procedure', '/trpc/activity.nope', {}],
    ['a name that every object has', '/trpc/constructor', {}],
    ['no procedure', '/trpc/', {}],
    ['another path', '/elsewhere/activity.list', {}],
  ])('%s is not_found', async (_name, path, init) => {
    expect(await ask(path, { method: 'POST', body: '{"json":{}}', ...init })).toMatchObject({
      status: 404,
      error: { code: 'not_found', message: 'no such procedure' },
    });
  });

  test.each<[string, string, Init]>([
    ['no JSON', '/trpc/activity.list', { body: '{"json":' }],
    ['another method', '/trpc/activity.list', { method: 'DELETE', body: null }],
    ['another type', '/trpc/activity.list', { headers: { 'content-type': 'text/xml' } }],
    ['a form', '/trpc/activity.list', { headers: { 'content-type': 'multipart/form-data; boundary=x' } }],
    ['bytes', '/trpc/activity.list', { headers: { 'content-type': 'application/octet-stream' } }],
    ['a batch that is a list', '/trpc/activity.list?batch=1', { body: '[]' }],
    ['a path that is not encoded', '/trpc/%E0%A4%A', {}],
    ['connection parameters', '/trpc/activity.list?connectionParams=x', {}],
  ])('a malformed request is invalid_input: %s', async (_name, path, init) => {
    const answer = await ask(path, { method: 'POST', body: '{"json":{}}', ...init });
    expect(answer.status).toBe(400);
    expect(answer.error?.code ?? JSON.stringify(answer.text)).toMatch(/invalid_input/);
  });

  test('bad JSON is not quoted back', async () => {
    const answer = await server.post('activity.list', '{"secret-value', key);
    expect(answer.text).not.toContain('secret-value');
  });

  test('a body beyond the limit is too_large, told by its header or found in chunks', async () => {
    const chunk = new Uint8Array(1024 * 1024).fill(0x20);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        controller.enqueue(chunk);
      },
    });
    const chunked = await ask('/trpc/activity.list', { method: 'POST', body, duplex: 'half' });
    const headers = { 'content-length': String(limits.callBytesMax + 1) };
    const told = await ask('/trpc/activity.list', { method: 'POST', body: '{}', headers });
    const expected = { code: 'too_large', limit: limits.callBytesMax };
    expect(chunked).toMatchObject({ status: 413, error: expected });
    expect(told).toMatchObject({ status: 413, error: expected });
    expect(sent).toBeLessThan(12);
  });

  test('every code travels under its status', async () => {
    for (const [code, status] of Object.entries(errorStatus)) {
      const error = new AnnalsError({ code: code as ErrorCode, message: 'told', path: 'p', limit: 3 });
      const answer = await failing(error).answer;
      expect(answer.status).toBe(status);
      expect(answer.error).toMatchObject({ code, message: 'told', path: 'p', limit: 3 });
    }
  });

  test.each([
    ['unavailable', 503],
    ['overloaded', 429],
  ] as const)('%s says when to try again', async (code, status) => {
    const answer = await failing(new AnnalsError({ code, message: 'later' })).answer;
    expect(answer).toMatchObject({ status, error: { code } });
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  test.each([
    ['an error', Object.assign(new Error('ada@example.com violates'), { code: '23514', detail: 'ada' })],
    ['a text', 'ada@example.com'],
    ['nothing', undefined],
  ])(
    'a defect is told as internal with its request id, and logged without values: %s',
    async (_name, cause) => {
      const { answer, logged } = failing(cause);
      const { status, error, text } = await answer;
      expect(status).toBe(500);
      expect(error).toEqual({ code: 'internal', message: expect.any(String), requestId: 'req-1' });
      expect(text).not.toMatch(/ada|stack|\.ts/);
      const [entry] = logged;
      expect(entry).toMatchObject({ requestId: 'req-1', procedure: 'key.current', code: 'internal' });
      expect(JSON.stringify(logged)).not.toContain('ada');
      if (cause instanceof Error) {
        expect(entry).toMatchObject({ causes: [{ name: 'TRPCError' }, { name: 'Error', code: '23514' }] });
        expect(JSON.stringify(logged)).toContain('fetch-handler.test.ts');
      }
    },
  );
});

async function given(id: string, path = '/trpc/key.current') {
  return (await ask(path, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
}

describe('request ids and hooks', () => {
  test('a sane request id is kept, another replaced, and every answer carries one', async () => {
    expect(await given('0af7651916cd43dd-8448eb211c80319c')).toBe('0af7651916cd43dd-8448eb211c80319c');
    for (const id of ['', 'a b', 'x'.repeat(129), '<script>']) {
      expect(await given(id)).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect(await given('kept', '/trpc/nope')).toBe('kept');
    expect(await given('kept', '/trpc/%E0%A4%A')).toBe('kept');
  });

  test('an error names its request in the body as well, also before a procedure is found', async () => {
    const headers = { 'x-request-id': 'req-2' };
    expect((await ask('/trpc/nope', { headers })).error?.requestId).toBe('req-2');
    expect((await ask('/trpc/%E0%A4%A', { headers })).error?.requestId).toBe('req-2');
    expect((await ask('/trpc/activity.get', { headers })).error?.requestId).toBe('req-2');
  });

  test('metrics are told procedures of the contract only', async () => {
    served.length = 0;
    await ask('/trpc/key.current?input=%7B%22json%22:%7B%7D%7D');
    await ask('/trpc/key.list,nope?batch=1');
    await ask('/trpc/key.list,key.current?batch=1');
    await ask('/trpc/ada@example.com');
    expect(served.map(({ procedure }) => procedure)).toEqual(['key.current', 'unknown', 'batch', 'unknown']);
    expect(served[0]).toMatchObject({ status: 200, durationMs: expect.any(Number) });
  });

  test('what became of activities is told once a call', async () => {
    const onLogged = vi.fn<() => void>();
    const handle = createFetchHandler({ services: server.core.services, onLogged });
    const body = JSON.stringify({ json: { activities: [anActivity(), {}] } });
    await handle(request('/trpc/activity.log', { method: 'POST', body }));
    expect(onLogged.mock.calls).toMatchObject([[{ stored: 1, duplicates: 0, refused: 1 }]]);
  });

  test('a failure is told with its cause', async () => {
    failed.length = 0;
    await server.call('activity.get', { id: 'x' }, key);
    expect(failed).toMatchObject([{ procedure: 'activity.get', requestId: expect.any(String) }]);
  });
});

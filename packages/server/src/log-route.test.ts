import { AnnalsError, limits, type Scope } from '@annals/contract';
import type { Services } from '@annals/core';
import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCall } from './call.ts';
import { createFetchHandler } from './fetch-handler.ts';
import { answerLog } from './log-route.ts';
import { deployment, openTestServer, type TestServer } from './testing.ts';

const tenantId = 'same';

/** A server of its own, so that what one way has stored the other has not; and all that it tells. */
interface Way {
  readonly keys: Readonly<Record<Caller, string>>;
  readonly told: unknown[];
  readonly server: TestServer;
  /** What the next transactions fail with. */
  readonly failWith: (error: Error | undefined) => void;
  send(request: Request): Promise<Response>;
}

const callers = ['writer', 'reader', 'expired', 'root', 'nobody', 'garbage'] as const;
type Caller = (typeof callers)[number];

async function openWay(): Promise<Way> {
  const server = await openTestServer();
  const { services } = server.core;
  const told: unknown[] = [];
  let failure: Error | undefined;
  const key = (scopes: readonly Scope[], of = {}) => server.key({ tenantId, scopes, ...of });
  const write: Services['db']['write'] = (writes) =>
    failure ? Promise.reject(failure) : services.db.write(writes);
  const tell = (level: string) => (fields: object, message: string) => {
    const { causes, ...others } = fields as { causes?: readonly { name: string; code?: string }[] };
    told.push([level, others, causes?.map(({ name, code }) => [name, code]), message]);
  };
  const log = { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
  return {
    server,
    told,
    keys: {
      writer: await key(['activities:write']),
      reader: await key(['activities:read']),
      expired: await key(['activities:write'], { expiresAt: new Date('2026-06-01T00:00:00Z') }),
      root: await key(['activities:write'], deployment),
      nobody: '',
      garbage: 'annals_x',
    },
    failWith: (error) => {
      failure = error;
    },
    send: createFetchHandler({
      services: { ...services, log, db: { ...services.db, write } },
      onRequest: ({ procedure, status }) => told.push([procedure, status]),
      onError: ({ error, procedure, requestId }) => told.push([String(error), procedure, requestId]),
      onLogged: (result) => told.push(plain(JSON.stringify(result))),
    }),
  };
}

let hot: Way;
let routed: Way;
beforeAll(async () => {
  [hot, routed] = await Promise.all([openWay(), openWay()]);
  // From now on the tenant is known, and calls of one batch are stored in their order.
  const body = JSON.stringify({ json: { tenantId, activities: [anActivity()] } });
  await expectSame({ caller: 'root', target: 'activity.log', body });
});
afterAll(() => Promise.all([hot.server.close(), routed.server.close()]));

/** Without what is random: ids, the order of those that are minted, hashes. */
function plain(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'uuid')
    .replaceAll(/[A-Za-z0-9+/]{43}=/g, 'hash')
    .replaceAll(/"position":\d+/g, '"position":0');
}

interface Sent {
  readonly caller: Caller;
  readonly target: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function requestOf(way: Way, { caller, target, body, headers }: Sent): Request {
  const all = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': 'req-1',
    ...(way.keys[caller] && { authorization: `Bearer ${way.keys[caller]}` }),
    ...headers,
  };
  return new Request(`http://test/trpc/${target}`, { method: 'POST', headers: all, body });
}

/** All that is answered and told. */
async function ask(way: Way, sent: Sent) {
  way.told.length = 0;
  const request = requestOf(way, sent);
  // It changes nothing else: the router answers with JSON whatever it says, but for lines, which it alone answers with.
  if (way === routed && !sent.headers?.['accept']) request.headers.set('trpc-accept', 'application/json');
  const { status, headers, ...response } = await way.send(request).then(async (answer) => ({
    status: answer.status,
    headers: [...answer.headers],
    text: plain(await answer.text()),
  }));
  return { status, headers, ...response, told: way.told };
}

async function expectSame(sent: Sent): Promise<number> {
  const [ours, theirs] = await Promise.all([ask(hot, sent), ask(routed, sent)]);
  expect(ours).toEqual(theirs);
  return ours.status;
}

/** Some are sent again and again, as they are or with another content. */
const known = Array.from({ length: 4 }, () => anActivity());
const item = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ action: 'a.b', actor: { type: 'user' } }) },
  { weight: 4, arbitrary: fc.constantFrom(...known) },
  fc.constantFrom(...known).map((each) => ({ ...each, action: 'other' })),
  fc.constantFrom({}, null, 5, 'x', [], { action: 'A', actor: { type: 'user' } }, { ...known[0], x: 1 }),
);
const input = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      {
        activities: fc.array(item, { minLength: 1, maxLength: 4 }),
        tenantId: fc.constantFrom(tenantId, 'other', '*', '', 5, null),
        ack: fc.constantFrom('committed', 'sent', null),
      },
      { requiredKeys: ['activities'], noNullPrototype: true },
    ),
  },
  fc.record({ activities: fc.constantFrom([], {}, null), tenantId: fc.constant(tenantId) }),
  fc.constantFrom<unknown>(
    null,
    5,
    'x',
    [],
    {},
    { activities: Array(1_001).fill(0) },
    { activities: [1], x: 1 },
  ),
);
const wire = fc.oneof(
  { weight: 8, arbitrary: input.map((json) => ({ json })) },
  input.map((json) => ({ json, meta: { values: { 'activities.0.occurredAt': ['Date'] }, v: 1 } })),
  fc.constantFrom<unknown>(null, 5, [], {}, { json: {}, meta: 5 }),
);
const one = wire.map((each) => ({ target: 'activity.log', body: JSON.stringify(each) }));
const several = fc
  .tuple(fc.array(wire, { minLength: 1, maxLength: 11 }), fc.constantFrom(0, 0, 0, 0, 1, -1))
  .map(([wires, more]) => ({
    target: `${Array(Math.max(1, wires.length + more))
      .fill('activity.log')
      .join(',')}?batch=1`,
    body: JSON.stringify(Object.fromEntries(wires.entries())),
  }));
const odd = fc.record({
  target: fc.constantFrom(
    'activity.log?batch=1',
    'activity.log?batch=0',
    'activity.log?x=1',
    'activity.log,activity.log',
    'activity%2Elog',
    'activity.log/',
    'activity.log,key.current?batch=1',
  ),
  body: fc.constantFrom(
    '',
    '{',
    'null',
    '"ab"',
    '[{"json":{}}]',
    '{"0":{"json":{"activities":[{}]}}}',
    '\ufeff{}',
  ),
});
const headers = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  fc.constantFrom<Record<string, string>>(
    { 'content-type': 'application/json; charset=utf-8' },
    { 'content-type': 'text/plain' },
    { 'content-length': String(limits.callBytesMax + 1) },
    { 'content-length': 'many' },
    { accept: 'application/jsonl' },
    { 'x-request-id': 'a-b' },
  ),
);
const failure = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  fc.constantFrom(
    new AnnalsError({ code: 'overloaded', message: 'too much' }),
    new AnnalsError({ code: 'unavailable', message: 'gone' }),
    Object.assign(new Error('secret'), { code: 'XX000' }),
  ),
);

test('the thin route answers and tells all that the router does, of whatever is sent', async () => {
  const statuses = new Set<number>();
  const caller = fc.oneof(
    { weight: 6, arbitrary: fc.constant('writer' as const) },
    fc.constantFrom(...callers),
  );
  const sent = fc.oneof({ weight: 4, arbitrary: one }, { weight: 3, arbitrary: several }, odd);
  await fc.assert(
    fc.asyncProperty(fc.record({ caller, sent, headers, failure }), async (given) => {
      for (const way of [hot, routed]) way.failWith(given.failure);
      statuses.add(await expectSame({ caller: given.caller, ...given.sent, headers: given.headers }));
    }),
    { numRuns: 250 },
  );
  expect([...statuses]).toEqual(expect.arrayContaining([200, 207, 400, 401, 403, 404]));
});

async function answersItself(sent: Sent): Promise<boolean> {
  const request = requestOf(hot, sent);
  const call = createCall(request, { services: hot.server.core.services });
  const path = sent.target.split('?')[0] as string;
  const answer = await answerLog(request, { call, path, onFailed: () => undefined });
  if (answer instanceof Response) return true;
  expect(await answer.text()).toBe(sent.body);
  return false;
}

test('the thin route answers what clients usually send, and hands on anything else as it came', async () => {
  const json = { json: { activities: [anActivity(), {}] } };
  const usual: Sent = { caller: 'writer', target: 'activity.log', body: JSON.stringify(json) };
  const batch = { target: 'activity.log,activity.log?batch=1', body: JSON.stringify({ 0: json, 1: json }) };
  const told = { values: { 'activities.0.occurredAt': ['Date'] }, v: 1 };
  const own: readonly Partial<Sent>[] = [
    {},
    batch,
    { headers: { accept: '*/*' } },
    { caller: 'root', body: JSON.stringify({ json: { ...json.json, tenantId } }) },
    { body: JSON.stringify({ ...json, meta: told }) },
  ];
  for (const each of own) expect(await answersItself({ ...usual, ...each }), JSON.stringify(each)).toBe(true);
  const others: readonly Partial<Sent>[] = [
    { caller: 'reader' },
    { caller: 'nobody' },
    { body: '{' },
    { body: JSON.stringify({ json: { ...json.json, more: 1 } }) },
    { target: 'activity.list' },
    { target: 'activity.log?x=1' },
    { ...batch, body: '[]' },
    { headers: { 'content-type': 'text/plain' } },
    { headers: { 'trpc-accept': 'application/jsonl' } },
  ];
  for (const each of others) expect(await answersItself({ ...usual, ...each })).toBe(false);
});

test('the thin route stands below the endpoint of its handler, and nowhere else', async () => {
  const handle = createFetchHandler({ services: hot.server.core.services, endpoint: '/api/audit/' });
  const body = JSON.stringify({ json: { activities: [anActivity()] } });
  const { headers: sent } = requestOf(hot, { caller: 'writer', target: 'activity.log', body });
  const statusAt = async (path: string) =>
    (await handle(new Request(`http://host${path}`, { method: 'POST', headers: sent, body }))).status;
  expect(await statusAt('/api/audit/activity.log')).toBe(200);
  expect(await statusAt('/trpc/activity.log')).toBe(404);
  expect(await statusAt('/api/audit/more/activity.log')).toBe(404);
});

function brokenBody(): ReadableStream {
  return new ReadableStream({ pull: (stream) => stream.error(new Error('left')) });
}

test('a body that breaks off is refused by the router, as any', async () => {
  const answers = await Promise.all(
    [hot, routed].map(async (way) => {
      const sent = requestOf(way, { caller: 'writer', target: 'activity.log', body: '' });
      const init = { body: brokenBody(), duplex: 'half', headers: sent.headers } as RequestInit;
      const request = new Request(sent, init);
      request.headers.set('content-length', '10');
      if (way === routed) request.headers.set('trpc-accept', 'application/json');
      const answer = await way.send(request);
      return { status: answer.status, text: await answer.text() };
    }),
  );
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]?.status).toBe(400);
});

import { mask, type TailEvent } from '@annals/contract';
import { sequenceAll } from '@annals/core/testing';
import { anActivity } from '@annals/testkit';
import { deserialize, type SuperJSONResult } from 'superjson';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestServer, type TestServer } from './testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

interface Told {
  readonly id: string | undefined;
  readonly event: TailEvent;
}

/** An event stream, read as an EventSource reads it. */
interface Stream {
  /** The next event of data; what an error event says, or `end`, in its place. */
  next(): Promise<Told | string>;
  /** The next that has activities. */
  activities(): Promise<Told>;
  close(): Promise<void>;
}

function streamOf(response: Response): Stream {
  if (!response.body) throw new Error('no body');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next: Stream['next'] = async () => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const fields = new Map(
          text
            .slice(0, end)
            .split('\n')
            .map((line) => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]),
        );
        text = text.slice(end).trimStart();
        const data = fields.get('data') ?? '';
        if (fields.get('event') === 'serialized-error')
          return /"annals":\{"code":"(\w+)"/.exec(data)?.[1] ?? '';
        if (fields.has('event')) continue;
        return { id: fields.get('id'), event: deserialize(JSON.parse(data) as SuperJSONResult) };
      }
      const { value, done } = await reader.read();
      if (done) return 'end';
      text += value;
    }
  };
  return {
    next,
    activities: async () => {
      for (;;) {
        const told = await next();
        if (typeof told === 'string') throw new Error(told);
        if (told.event.activities.length > 0) return told;
      }
    },
    close: () => reader.cancel(),
  };
}

async function tail(key: string, input: object = {}): Promise<Stream> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  const init = { method: 'POST', headers, body: JSON.stringify({ json: input }) };
  return streamOf(await server.handle(new Request('http://test/trpc/activity.tail', init)));
}

let tenants = 0;

/** A tenant with a key; that both were made stands in its log. */
async function aTenant() {
  const tenantId = `tail-${++tenants}`;
  const key = await server.key({ tenantId });
  await sequenceAll(server.core, tenantId);
  const log = async (count = 1): Promise<void> => {
    const activities = Array.from({ length: count }, () => anActivity());
    const { status, text } = await server.call('activity.log', { activities }, key);
    expect(status, text).toBe(200);
    await sequenceAll(server.core, tenantId);
  };
  return { tenantId, key, log };
}

test('each event has its cursor as its id, and dates as dates', async () => {
  const { key, log } = await aTenant();
  const stream = await tail(key);
  expect(await stream.next()).toEqual({ id: '1.2', event: { cursor: '1.2', activities: [] } });
  await log(2);
  const { id, event } = await stream.activities();
  expect([id, event.cursor]).toEqual(['1.4', '1.4']);
  expect(event.activities.map(({ occurredAt }) => occurredAt)).toEqual([
    anActivity().occurredAt,
    anActivity().occurredAt,
  ]);
  await stream.close();
});

test('a browser that comes back with the header Last-Event-ID goes on behind it', async () => {
  const { key, log } = await aTenant();
  await log(3);
  const url = 'http://test/trpc/activity.tail?input=%7B%22json%22%3A%7B%7D%7D';
  const headers = { authorization: `Bearer ${key}`, 'last-event-id': '1.3' };
  const stream = streamOf(await server.handle(new Request(url, { headers })));
  const { id, event } = await stream.activities();
  expect([id, event.activities.length]).toEqual(['1.5', 2]);
  await stream.close();
});

test('a key that is revoked is told nothing more, while others of its tenant are', async () => {
  const { key, log } = await aTenant();
  const made = await server.call('key.create', { name: 'tail', scopes: ['activities:read'] }, key);
  const { key: reader, secret } = made.data as { key: { id: string }; secret: string };
  const [ended, staying] = [await tail(secret), await tail(key)];
  await Promise.all([ended.next(), staying.next()]);
  await log();
  expect((await ended.activities()).event.activities).not.toEqual([]);
  await server.call('key.revoke', { id: reader.id }, key);
  await log();
  expect(await ended.next()).toBe('unauthenticated');
  expect(await ended.next()).toBe('end');
  expect((await staying.activities()).event.activities).not.toEqual([]);
  await staying.close();
});

test('a key without personal:read is told masked values, and may not filter by them', async () => {
  const { tenantId, key, log } = await aTenant();
  const blind = await server.key({ tenantId, scopes: ['activities:read'] });
  const streams = [
    await tail(key, { query: 'action:invoice.*' }),
    await tail(blind, { query: 'action:invoice.*' }),
  ];
  await Promise.all(streams.map((stream) => stream.next()));
  await log();
  const [shown, masked] = await Promise.all(streams.map((stream) => stream.activities()));
  expect(shown?.event.activities[0]?.actor.label).toBe('Ada Lovelace');
  expect(masked?.event.activities[0]?.actor.label).toBe(mask);
  expect(JSON.stringify(masked?.event)).not.toMatch(/203\.0\.113|Mozilla/);
  const refused = await tail(blind, { query: 'ip:203.0.113.7' });
  expect(await refused.next()).toBe('forbidden');
  await Promise.all(streams.map((stream) => stream.close()));
});

test('a key sees the log of its own tenant only', async () => {
  const [mine, other] = [await aTenant(), await aTenant()];
  const stream = await tail(mine.key, { from: 'start', query: 'action:invoice.*' });
  await stream.next();
  await other.log(3);
  await mine.log(1);
  const { event } = await stream.activities();
  expect(event.activities.map(({ tenantId }) => tenantId)).toEqual([mine.tenantId]);
  const named = await tail(mine.key, { tenantId: other.tenantId });
  expect(await named.next()).toBe('not_found');
  await stream.close();
});

test.each([
  [{ lastEventId: 'x' }, 'invalid_input'],
  [{ lastEventId: '1.99' }, 'invalid_input'],
  [{ from: 'yesterday' }, 'invalid_input'],
  [{ query: 'nonsense:' }, 'invalid_query'],
  [{ query: '', filter: {} }, 'invalid_input'],
])('what is refused arrives as an error event: %j', async (input, code) => {
  const { key } = await aTenant();
  const stream = await tail(key, input);
  expect(await stream.next()).toBe(code);
  expect(await stream.next()).toBe('end');
});

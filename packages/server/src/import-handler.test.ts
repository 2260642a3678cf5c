import { gzipSync } from 'node:zlib';
import { AnnalsError, limits, scopes } from '@annals/contract';
import type { Principal } from '@annals/core';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createImportHandler } from './import-handler.ts';
import { deployment, openTestServer, type TestServer } from './testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

type Line = Record<string, unknown> & { readonly line?: number };

interface Imported {
  readonly status: number;
  readonly lines: Line[];
  readonly last: Line;
}

interface Import {
  readonly key?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

type Body = string | Uint8Array | ReadableStream<Uint8Array> | null;

function post(body: Body, { key, query = '', headers, signal }: Import = {}): Promise<Response> {
  const init = {
    method: 'POST',
    headers: { ...headers, ...(key && { authorization: `Bearer ${key}` }) },
    body,
    duplex: 'half',
    ...(signal && { signal }),
  } as RequestInit;
  return server.handle(new Request(`http://test/api/v1/activities:import${query}`, init));
}

async function send(body: Body, options: Import = {}): Promise<Imported> {
  const response = await post(body, { key: await server.key(), ...options });
  const text = await response.text();
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
  return { status: response.status, lines: lines.slice(0, -1), last: lines.at(-1) as Line };
}

const wire = (activity: object) => JSON.stringify(activity);
const ndjson = (...activities: object[]) => activities.map((each) => `${wire(each)}\n`).join('');
const many = (count: number) => Array.from({ length: count }, () => anActivity());
const totals = (...[lines, stored, duplicates, refused]: [number, number, number, number]) => ({
  totals: { lines, stored, duplicates, refused },
});

/** How many records a key's tenant has. */
async function countOf(key: string): Promise<number> {
  const { data } = await server.call('activity.count', { query: '-action:annals.*' }, key);
  return (data as { count: number }).count;
}

/** Bytes in parts of any size, as a network brings them. */
function inParts(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, (at += size)));
      else controller.close();
    },
  });
}

describe('each line is answered in its place', () => {
  test('as stored with its receipt, as a duplicate, or as refused with its path, whatever the file is like', async () => {
    const [one, two] = [anActivity(), anActivity()] as const;
    const conflict = { ...one, action: 'other.done' };
    const text = [
      `\uFEFF${wire(one)}\r\n\n  \n${wire(one)}\n{"action":\n5\n`,
      `${wire({ ...two, action: 'NOT VALID' })}\n${wire(conflict)}\n${wire(two)}`,
    ].join('');
    const { status, lines, last } = await send(text);
    expect(status).toBe(200);
    expect(lines).toEqual([
      {
        line: 1,
        status: 'stored',
        id: one.id,
        occurredAt: one.occurredAt.toISOString(),
        recordedAt: expect.any(String),
        batchId: expect.any(String),
        position: expect.any(Number),
        leaf: expect.any(String),
      },
      { line: 4, status: 'duplicate', id: one.id, occurredAt: one.occurredAt.toISOString() },
      { line: 5, status: 'refused', code: 'invalid_input', message: 'must be JSON' },
      { line: 6, status: 'refused', code: 'invalid_input', message: expect.any(String) },
      expect.objectContaining({ line: 7, status: 'refused', path: 'action' }),
      expect.objectContaining({ line: 8, status: 'refused', code: 'id_conflict', path: 'id' }),
      expect.objectContaining({ line: 9, status: 'stored', id: two.id }),
    ]);
    expect(last).toEqual(totals(7, 2, 1, 4));
  });

  test('a line that is too long or no UTF-8 is refused, and the others are stored', async () => {
    const long = `{"action":"${'x'.repeat(limits.activityBytesMax * 40)}"}`;
    const body = Buffer.concat([
      Buffer.from(ndjson(...many(2))),
      Buffer.from(`${long}\n`),
      Buffer.from([0xff, 0x0a]),
      Buffer.from(ndjson(...many(2))),
    ]);
    const { lines, last } = await send(inParts(body, 10_000));
    expect(lines.filter(({ status }) => status === 'refused')).toEqual([
      {
        line: 3,
        status: 'refused',
        code: 'too_large',
        message: `must be at most ${limits.activityBytesMax} bytes`,
        limit: limits.activityBytesMax,
      },
      { line: 4, status: 'refused', code: 'invalid_input', message: 'must be UTF-8' },
    ]);
    expect(last).toEqual(totals(6, 4, 0, 2));
  });

  test('only what was refused where that is asked for, and in any case the totals', async () => {
    const body = ndjson(...many(2_500), { action: 'BAD' }, ...many(10));
    const { lines, last } = await send(body, { query: '?results=failures' });
    expect(lines.map(({ line, status }) => [line, status])).toEqual([[2_501, 'refused']]);
    expect(last).toEqual(totals(2_511, 2_510, 0, 1));
    expect((await send('')).last).toEqual(totals(0, 0, 0, 0));
    expect((await send('\n\r\n', { query: '?results=all' })).last).toEqual(totals(0, 0, 0, 0));
  });

  test('of more lines than a call takes, in order, and again all are duplicates', async () => {
    const key = await server.key();
    const activities = many(3_210);
    const body = Buffer.from(ndjson(...activities));
    const first = await send(inParts(body, 50_000), { key });
    expect(first.lines.map(({ line }) => line)).toEqual(activities.map((_, at) => at + 1));
    expect(first.lines.map(({ id }) => id)).toEqual(activities.map(({ id }) => id));
    expect(first.last).toEqual(totals(3_210, 3_210, 0, 0));
    expect((await send(body, { key })).last).toEqual(totals(3_210, 0, 3_210, 0));
  });

  test.each([
    ['its encoding', { 'content-encoding': 'gzip' }],
    ['its type', { 'content-type': 'application/gzip' }],
  ])('gzip is read by %s, in one piece or several', async (_name, headers) => {
    const packed = Buffer.concat([gzipSync(ndjson(...many(300))), gzipSync(ndjson(...many(20)))]);
    const { last } = await send(inParts(packed, 999), { headers });
    expect(last).toEqual(totals(320, 320, 0, 0));
  });
});

describe('what fails', () => {
  test.each<[string, string, number, Import & { body?: Body }]>([
    ['no key', 'unauthenticated', 401, { key: 'annals_no_such' }],
    ['another parameter', 'invalid_input', 400, { query: '?tenant=x' }],
    ['other results', 'invalid_input', 400, { query: '?results=none' }],
    ['another tenant', 'not_found', 404, { query: '?tenantId=other' }],
    ['another encoding', 'invalid_input', 400, { headers: { 'content-encoding': 'br' } }],
    ['no gzip', 'invalid_input', 400, { headers: { 'content-encoding': 'gzip' } }],
  ])('%s is %s, told before anything is stored', async (...[, code, status, options]) => {
    const answer = await send(ndjson(...many(1)), options);
    expect([answer.status, answer.last['code']]).toEqual([status, code]);
  });

  test('a key without the scope, and a write that names no tenant, are refused', async () => {
    const reader = await server.key({ scopes: ['activities:read'] });
    expect((await send('', { key: reader })).last).toMatchObject({ code: 'forbidden' });
    const operator = await server.key(deployment);
    expect((await send('', { key: operator })).last).toMatchObject({ path: 'tenantId' });
    expect((await send('', { key: operator, query: '?tenantId=none' })).status).toBe(404);
    const wrong = await server.handle(new Request('http://test/api/v1/activities:import'));
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('gzip that is cut off ends in a line that says so, behind what was whole', async () => {
    const packed = gzipSync(ndjson(...many(5_000)));
    const key = await server.key();
    const { status, last, lines } = await send(packed.subarray(0, packed.length - 20_000), {
      key,
      headers: { 'content-encoding': 'gzip' },
    });
    expect(status).toBe(200);
    expect(last).toMatchObject({
      error: { code: 'invalid_input', path: 'body', requestId: expect.any(String) },
    });
    const stored = lines.filter((line) => line['status'] === 'stored');
    expect(last).toMatchObject({ totals: { lines: lines.length, stored: stored.length } });
    expect(await countOf(key)).toBe(stored.length);
    expect(stored.length).toBeGreaterThan(1_000);
  });

  test('a key that is revoked meanwhile ends it', async () => {
    let asked = 0;
    const imports = handlerOf({
      authenticate: async () => {
        asked += 1;
        if (asked > 2) throw new AnnalsError({ code: 'unauthenticated', message: 'revoked' });
        return { keyId: 'k', keyName: 'k', tenantId: server.core.context().tenantId, scopes };
      },
    });
    let ms = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (ms += 700));
    const text = await (await imports(requestOf(ndjson(...many(5_000)))))
      .text()
      .finally(() => clock.mockRestore());
    const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Line;
    expect(last).toMatchObject({ error: { code: 'unauthenticated' } });
  });

  test('a database that goes away is an answer of its own before anything is stored, and a last line behind', async () => {
    const { tenantId } = server.core.context();
    const early = await handlerOf({ tenantId, write: lost })(requestOf(ndjson(...many(10))));
    expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1']);
    let writes = 0;
    const late = handlerOf({ tenantId, write: (write) => ((writes += 1) > 2 ? lost() : write()) });
    const lines = (await (await late(requestOf(ndjson(...many(4_500))))).text()).trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      error: { code: 'unavailable', message: 'away', requestId: expect.any(String) },
      totals: totals(2_000, 2_000, 0, 0).totals,
    });
    expect(lines).toHaveLength(2_001);
  });
});

const lost = () => Promise.reject(new AnnalsError({ code: 'unavailable', message: 'away' }));

type Db = TestServer['core']['services']['db'];

/** The route alone, for a caller that is known already; `write` stands before the database. */
function handlerOf({
  tenantId = server.core.context().tenantId,
  write,
  authenticate,
}: {
  tenantId?: string;
  write?: (write: () => Promise<void>) => Promise<void>;
  authenticate?: () => Promise<Principal>;
}) {
  const { services } = server.core;
  const { db } = services;
  const writing: Db['write'] = (writes) => (write ? write(() => db.write(writes)) : db.write(writes));
  return createImportHandler({
    services: { ...services, db: { ...db, write: writing } },
    authenticate: authenticate ?? (async () => ({ keyId: 'k', keyName: 'k', tenantId, scopes })),
  });
}

function requestOf(body: Body, signal?: AbortSignal): Request {
  const init = { method: 'POST', body, duplex: 'half', ...(signal && { signal }) } as RequestInit;
  return new Request('http://test/api/v1/activities:import', init);
}

/** A body without end, in parts of so many lines, which tells how much of it was asked for. */
function endless(linesAPart: number) {
  const left = Promise.withResolvers<void>();
  const asked = { lines: 0, left: left.promise };
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        asked.lines += linesAPart;
        controller.enqueue(Buffer.from(ndjson(...many(linesAPart))));
      },
      cancel: () => left.resolve(),
    },
    { highWaterMark: 0 },
  );
  return { asked, body };
}

const aFewTurns = async () => {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('nothing is read that cannot be passed on', () => {
  test('a reader of the answer that stands still stops the reading of the body', async () => {
    const { asked, body } = endless(100);
    const response = await handlerOf({})(requestOf(body));
    const reader = response.body?.getReader();
    for (let groups = 1; groups <= 5; groups += 1) {
      await aFewTurns();
      // What was told, two groups in hand, and what the streams between hold.
      expect(asked.lines).toBeLessThan((groups + 3) * 1_000);
      await reader?.read();
    }
    await reader?.cancel();
    await asked.left;
  });

  test('a database that stands still, too', async () => {
    const { asked, body } = endless(100);
    const gate = Promise.withResolvers<void>();
    let writes = 0;
    const leaving = new AbortController();
    const importing = handlerOf({
      write: async (write) => {
        writes += 1;
        await gate.promise;
        await write();
      },
    })(requestOf(body, leaving.signal));
    await vi.waitFor(() => expect(writes).toBe(2));
    await aFewTurns();
    expect(asked.lines).toBeLessThan(4_000);
    leaving.abort();
    gate.resolve();
    await (await importing).text().catch(() => undefined);
    await asked.left;
  });

  test('a caller that goes away leaves whole groups, and nothing running', async () => {
    const key = await server.key({ tenantId: 'leaves' });
    const { asked, body } = endless(300);
    const leaving = new AbortController();
    const response = await handlerOf({ tenantId: 'leaves' })(requestOf(body, leaving.signal));
    await response.body?.getReader().read();
    leaving.abort();
    await asked.left;
    const before = asked.lines;
    await aFewTurns();
    expect(asked.lines).toBe(before);
    expect((await countOf(key)) % 1_000).toBe(0);
  });
});

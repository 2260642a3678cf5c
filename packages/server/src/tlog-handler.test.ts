import { type ProcedureOutput, scopes } from '@annals/contract';
import { runJob } from '@annals/core';
import { sequenceAll, signCheckpoint, testPolicy } from '@annals/core/testing';
import { anActivity } from '@annals/testkit';
import {
  bundlePath,
  bundlesWritten,
  decodeBundle,
  decodeEntry,
  hashLeaf,
  parseNote,
  parsePolicy,
  rootOf,
  tilePath,
  tilesForNodes,
  tilesWritten,
  verifiedReader,
  verifyBundle,
  verifyCheckpoint,
} from '@annals/tlog';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployment, openTestServer, type TestServer } from './testing.ts';
import { createTlogHandler } from './tlog-handler.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

interface Asked {
  readonly path: string;
  readonly key?: string | undefined;
  readonly headers?: Record<string, string> | undefined;
}

async function ask(method: string, { path, key, headers }: Asked): Promise<Response> {
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const init = { method, headers: { ...headers, ...authorization } };
  return server.handle(new Request(`http://test/tlog/${path}`, init));
}

function get(path: string, key?: string, headers?: Record<string, string>): Promise<Response> {
  return ask('GET', { path, key, headers });
}

async function bytesOf(path: string, key: string): Promise<Uint8Array> {
  const response = await get(path, key);
  expect(response.status, path).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

interface SignedLog {
  readonly key: string;
  readonly ids: readonly string[];
  readonly size: number;
}

/** A new tenant with so many activities in its signed log, besides those of Annals itself. */
async function signedLog(tenantId: string, count: number): Promise<SignedLog> {
  const key = await server.key({ tenantId });
  const ids: string[] = [];
  for (let left = count; left > 0; left -= 300) {
    const activities = Array.from({ length: Math.min(left, 300) }, () => anActivity());
    const { data } = await server.call('activity.log', { activities }, key);
    const { results } = data as ProcedureOutput<'activity.log'>;
    ids.push(...results.map((item) => (item.status === 'refused' ? '' : item.id)));
  }
  await sequenceAll(server.core, tenantId);
  const { size } = await signCheckpoint(server.core, tenantId);
  return { key, ids, size };
}

describe('a client that knows nothing but C2SP tlog-tiles', () => {
  test('gets from the checkpoint over the tiles to every entry', async () => {
    const { key, ids } = await signedLog('walked', 1_000);
    const policy = parsePolicy(testPolicy('log.test/walked'));
    const note = await get('walked/checkpoint', key);
    expect(note.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const { checkpoint } = verifyCheckpoint(parseNote(await note.text()), policy);
    const { size } = checkpoint;
    const tiles = new Map<string, Uint8Array>();
    for (const tile of tilesWritten(0, size)) {
      tiles.set(tilePath(tile), await bytesOf(`walked/${tilePath(tile)}`, key));
    }
    const read = verifiedReader(checkpoint, tiles);
    const leaves: Uint8Array[] = [];
    const seen: string[] = [];
    for (const bundle of bundlesWritten(0, size)) {
      const entries = decodeBundle(await bytesOf(`walked/${bundlePath(bundle)}`, key), bundle.width);
      const tile = tiles.get(tilePath({ level: 0, ...bundle }));
      verifyBundle(entries, tile ?? new Uint8Array());
      leaves.push(...entries.map(hashLeaf));
      seen.push(...entries.map((entry) => decodeEntry(entry).id));
    }
    expect(rootOf(leaves)).toEqual(checkpoint.root);
    expect(read({ level: 0, index: size - 1 })).toEqual(leaves.at(-1));
    expect(seen).toEqual(expect.arrayContaining([...ids]));
  });

  test('is served every partial tile of an earlier size, and none beyond what is signed', async () => {
    const { key, size } = await signedLog('partial', 260);
    const whole = await bytesOf('partial/tile/0/000', key);
    for (const width of [1, 7, 255]) {
      const bytes = await bytesOf(`partial/tile/0/000.p/${width}`, key);
      expect(bytes).toEqual(whole.subarray(0, width * 32));
      const entries = decodeBundle(await bytesOf(`partial/tile/entries/000.p/${width}`, key), width);
      verifyBundle(entries, bytes);
    }
    await server.call('activity.log', { activities: [anActivity()] }, key);
    await sequenceAll(server.core, 'partial');
    const next = `001.p/${size + 1 - 256}`;
    const beyond = [
      `tile/0/${next}`,
      'tile/0/001',
      'tile/1/000.p/2',
      `tile/entries/${next}`,
      'tile/2/000.p/1',
    ];
    for (const path of beyond) expect((await get(`partial/${path}`, key)).status, path).toBe(404);
    await signCheckpoint(server.core, 'partial');
    expect((await get(`partial/tile/0/${next}`, key)).status).toBe(200);
  });

  test('verifies one entry with the few tiles that lead to it', async () => {
    const { key, size } = await signedLog('some', 700);
    const node = { level: 0, index: 300 };
    const tiles = new Map<string, Uint8Array>();
    for (const tile of tilesForNodes([node], size)) {
      tiles.set(tilePath(tile), await bytesOf(`some/${tilePath(tile)}`, key));
    }
    const note = parseNote(await (await get('some/checkpoint', key)).text());
    const { checkpoint } = verifyCheckpoint(note, parsePolicy(testPolicy('log.test/some')));
    const entries = decodeBundle(await bytesOf('some/tile/entries/001', key), 256);
    expect(verifiedReader(checkpoint, tiles)(node)).toEqual(hashLeaf(entries[44] as Uint8Array));
  });
});

describe('a file', () => {
  let key: string;
  beforeAll(async () => {
    ({ key } = await signedLog('cached', 520));
  });

  test.each([
    ['checkpoint', 'private, no-cache'],
    ['tile/0/000', 'private, max-age=31536000, immutable'],
    ['tile/0/001.p/44', 'private, max-age=31536000, immutable'],
    ['tile/entries/000', 'private, no-cache'],
  ])('%s says how long it holds, and is not sent again to who has it', async (path, caching) => {
    const first = await get(`cached/${path}`, key);
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toBe(caching);
    expect(first.headers.get('vary')).toBe('authorization');
    const again = await get(`cached/${path}`, key, { 'if-none-match': `"other", ${etag}` });
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    expect((await get(`cached/${path}`, key, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('answers HEAD as GET without the bytes, and takes no other method', async () => {
    const head = await ask('HEAD', { path: 'cached/tile/0/000', key });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '8192', '']);
    const put = await ask('PUT', { path: 'cached/tile/0/000', key });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test.each([
    '',
    'checkpoint/',
    'e2/checkpoint',
    'e1/checkpoint',
    'e0/tile/0/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/0',
    'tile/00/000',
    'tile/64/000',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/entries/x999/x999/x999/x999/x999/999.p/1',
    'tile/entries/000/',
    'tile//000',
    '..%2f..%2fcheckpoint',
    'checkpoint%00',
    `tile/0/${'x000/'.repeat(200)}000`,
  ])('that is not there is told so, whatever its name: %j', async (path) => {
    const response = await get(`cached/${path}`, key);
    expect(response.status).toBe(404);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ code: 'not_found', requestId: expect.any(String) });
  });
});

test('whatever the path and the headers, the answer is a file, or a refusal that says why', async () => {
  const { key } = await signedLog('fuzzed', 3);
  const part = fc.oneof(
    fc.constantFrom(
      'fuzzed',
      'tile',
      'entries',
      '0',
      '000',
      '000.p/2',
      'x000',
      'e2',
      'checkpoint',
      '*',
      '%2e',
    ),
    fc.webSegment(),
    fc.string().map(encodeURIComponent),
  );
  const header = fc.constantFrom('', '*', '"', 'W/"x"', ',,,', 'x'.repeat(5_000));
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), header, async (parts, etag) => {
      const response = await get(parts.join('/'), key, { 'if-none-match': etag });
      expect([200, 304, 404]).toContain(response.status);
    }),
    { numRuns: 150 },
  );
});

describe('who may read', () => {
  beforeAll(async () => {
    await signedLog('kept', 3);
  });

  test('a key of the tenant, and one of the deployment, that may read or export', async () => {
    for (const scope of ['activities:read', 'export'] as const) {
      const own = await server.key({ tenantId: 'kept', scopes: [scope] });
      const root = await server.key({ ...deployment, scopes: [scope] });
      for (const key of [own, root]) expect((await get('kept/checkpoint', key)).status).toBe(200);
    }
  });

  test('nobody else is told anything: not that there is such a log, nor what paths there are', async () => {
    const stranger = await server.key({ tenantId: 'stranger' });
    const without = await server.key({
      tenantId: 'kept',
      scopes: scopes.filter((s) => !/read|export/.test(s)),
    });
    for (const path of ['checkpoint', 'tile/0/000.p/3', 'tile/entries/000.p/3']) {
      const told = await Promise.all(
        ['kept', 'absent', '*'].map(async (tenant) => {
          const response = await get(`${tenant}/${path}`, stranger, { 'x-request-id': 'r' });
          return [response.status, await response.text()];
        }),
      );
      expect(new Set(told.map(String)).size).toBe(1);
      expect(told[0]?.[0]).toBe(404);
      expect((await get(`kept/${path}`, without)).status).toBe(403);
      expect((await get(`kept/${path}`)).status).toBe(401);
    }
    expect((await get('kept/nonsense')).status).toBe(401);
  });

  test('anybody, where the deployment says so, from any page of a browser', async () => {
    const handle = createTlogHandler({ services: server.core.services, public: true });
    const asAnybody = (path: string) => handle(new Request(`http://test/tlog/${path}`));
    const tile = await asAnybody('kept/tile/0/000.p/3');
    expect(tile.status).toBe(200);
    expect(tile.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(tile.headers.get('access-control-allow-origin')).toBe('*');
    expect((await asAnybody('absent/checkpoint')).status).toBe(404);
    expect((await asAnybody('a%00b/checkpoint')).status).toBe(404);
  });
});

test('an entry that is purged takes its bundle along, and leaves the tiles', async () => {
  const { key, size } = await signedLog('purged', 5);
  const path = `000.p/${size}`;
  const before = await bytesOf(`purged/tile/0/${path}`, key);
  expect((await get(`purged/tile/entries/${path}`, key)).status).toBe(200);
  await purgeEverything(key);
  expect((await get(`purged/tile/entries/${path}`, key)).status).toBe(404);
  expect(await bytesOf(`purged/tile/0/${path}`, key)).toEqual(before);
});

async function purgeEverything(key: string): Promise<void> {
  await server.call('retention.setPolicies', { policies: [{ name: 'all', keepDays: 1 }] }, key);
  server.core.clock.advance(90 * 86_400_000);
  const plan = (await server.call('retention.plan', {}, key)).data as ProcedureOutput<'retention.plan'>;
  const job = (await server.call('retention.applyPlan', { planId: plan.id }, key))
    .data as ProcedureOutput<'retention.applyPlan'>;
  await runJob(server.core.services, { tenantId: job.tenantId, jobId: job.id });
}

import { gzipSync } from 'node:zlib';
import { AnnalsError, type ImportedLine } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAnnals } from './create-annals.ts';
import { type Fetch, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

const said = { action: 'hello.said', actor: { type: 'user' as const, id: 'ada' } };
const many = (count: number) => Array.from({ length: count }, () => anActivity());

async function all(lines: AsyncIterable<ImportedLine>): Promise<ImportedLine[]> {
  const gathered: ImportedLine[] = [];
  for await (const line of lines) gathered.push(line);
  return gathered;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((cause: unknown) => cause);
  return error instanceof AnnalsError ? error.code : String(error);
}

describe('import', () => {
  test('tells of each activity in its place, of those that cannot be sent too, and of all at the end', async () => {
    const client = await network.client();
    const [first, ...others] = many(2_300) as [ReturnType<typeof anActivity>];
    const source = [
      first,
      { ...said, metadata: { n: Number.NaN } },
      { ...said, action: 'NOT VALID' },
      first,
      ...others,
      { ...said, metadata: { at: 1n as unknown as number } },
    ];
    const importing = client.import(source);
    const lines = await all(importing);
    expect(lines.map(({ line }) => line)).toEqual(source.map((_, at) => at + 1));
    expect(lines.slice(0, 4)).toMatchObject([
      { status: 'stored', id: first.id, occurredAt: first.occurredAt, recordedAt: expect.any(Date) },
      { status: 'refused', path: 'metadata.n', message: 'must be a finite number' },
      { status: 'refused', path: 'action' },
      { status: 'duplicate', occurredAt: first.occurredAt },
    ]);
    expect(lines.at(-1)).toMatchObject({ status: 'refused', path: 'metadata.at' });
    expect(await importing.totals()).toEqual({ lines: 2_304, stored: 2_300, duplicates: 1, refused: 3 });
    expect((await client.get(first.id)).action).toBe(first.action);
  });

  test('takes sources of any kind, and tells only the totals where that is asked', async () => {
    const client = await network.client();
    const activities = many(150);
    async function* slowly() {
      for (const activity of activities) yield activity;
    }
    const ndjson = Buffer.from(activities.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const stored = { lines: 150, stored: 150, duplicates: 0, refused: 0 };
    const again = { ...stored, stored: 0, duplicates: 150 };
    expect(await client.import(slowly()).totals()).toEqual(stored);
    expect(await client.import([ndjson.subarray(0, 1_001), ndjson.subarray(1_001)]).totals()).toEqual(again);
    expect(await client.import(new Response(ndjson).body ?? []).totals()).toEqual(again);
    expect(await client.import([gzipSync(ndjson)], { gzip: true }).totals()).toEqual(again);
    expect(await client.import([]).totals()).toEqual({ ...stored, lines: 0, stored: 0 });
  });

  test('tells of failures alone, with where they are', async () => {
    const client = await network.client();
    const source = [...many(1_500), { ...said, action: 'BAD' }, ...many(3)];
    const importing = client.import(source, { results: 'failures' });
    expect(await all(importing)).toMatchObject([{ line: 1_501, status: 'refused', path: 'action' }]);
    expect(await importing.totals()).toEqual({ lines: 1_504, stored: 1_503, duplicates: 0, refused: 1 });
  });

  test('ids and times are given once, so that two lines of the same content are two activities', async () => {
    const client = await network.client();
    const lines = await all(client.import([said, said]));
    expect(lines.map(({ status }) => status)).toEqual(['stored', 'stored']);
  });
});

/** The answer ends with its first part. */
const cutAnswer =
  (fetch: Fetch): Fetch =>
  async (url, init) => {
    const response = await fetch(url, init);
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        controller.enqueue(chunk);
        controller.terminate();
      },
    });
    return new Response(response.body?.pipeThrough(cut), response);
  };

describe('an import that ends early', () => {
  test('with what the server refuses it for', async () => {
    const client = await network.client();
    expect(await codeOf(client.import([said], { tenantId: 'none' }).totals())).toBe('not_found');
    const stranger = createAnnals({
      url: 'http://annals.test',
      apiKey: 'annals_x',
      fetch: network.fetchWithKeys,
    });
    expect(await codeOf(all(stranger.import([said])))).toBe('unauthenticated');
    const notGzip = client.import([Buffer.from('{}')], { gzip: true });
    expect(await codeOf(notGzip.totals())).toBe('invalid_input');
  });

  test("with the source's own failure", async () => {
    const client = await network.client();
    const broken = new Error('disk');
    function* source() {
      yield* many(10);
      throw broken;
    }
    await expect(client.import(source()).totals()).rejects.toBe(broken);
  });

  test('with a connection that breaks off, behind what was told', async () => {
    const client = await network.client({ wrap: cutAnswer });
    const told: number[] = [];
    const importing = client.import(many(3_000));
    const reading = async () => {
      for await (const { line } of importing) told.push(line);
    };
    expect(await codeOf(reading())).toBe('unavailable');
    expect(told).toHaveLength(1_000);
    expect(await codeOf(importing.totals())).toBe('unavailable');
  });

  test('as the caller leaves it, and ends the source', async () => {
    const client = await network.client();
    let ended = false;
    function* source() {
      try {
        for (;;) yield* many(100);
      } finally {
        ended = true;
      }
    }
    const importing = client.import(source());
    for await (const _ of importing) break;
    await expect.poll(() => ended).toBe(true);
    await expect(importing.totals()).rejects.toThrow('left');
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = client.import(source(), { signal: controller.signal });
    for await (const _ of aborted) {
      controller.abort(reason);
      break;
    }
    await expect(client.import([said], { signal: controller.signal }).totals()).rejects.toBe(reason);
  });
});

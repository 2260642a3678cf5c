import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ActivityInput, AnnalsError, type LogResult } from '@annals/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatReader } from './formats.ts';
import { type ImportOptions, importFiles, type Reject } from './import-files.ts';
import { openInputs } from './open-input.ts';
import { importLimits } from './read-entries.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-import-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A log that remembers keys as the server does, and takes at most so many activities a call. */
function aLog({ callMax = 1_000, failAtCall = 0 }: { callMax?: number; failAtCall?: number } = {}) {
  const stored = new Set<string>();
  const calls: number[] = [];
  const log = async (activities: ActivityInput[]): Promise<LogResult> => {
    calls.push(activities.length);
    if (calls.length === failAtCall)
      throw new AnnalsError({ code: 'unavailable', message: 'the database is full' });
    if (activities.length > callMax) throw new AnnalsError({ code: 'too_large', message: 'too large' });
    const at = new Date('2026-03-01T00:00:00Z');
    const results = activities.map(({ idempotencyKey = '' }): LogResult['results'][number] => {
      if (stored.has(idempotencyKey)) return { status: 'duplicate', id: idempotencyKey, occurredAt: at };
      stored.add(idempotencyKey);
      const receipt = { batchId: 'batch', position: 0, leaf: 'leaf' };
      return { status: 'stored', id: idempotencyKey, occurredAt: at, recordedAt: at, ...receipt };
    });
    return { results, stored: 0, duplicates: 0, refused: 0, ack: 'committed', batches: [] };
  };
  return { stored, calls, log };
}

const line = (n: number) =>
  JSON.stringify({
    action: 'a.b',
    occurredAt: '2026-03-01T00:00:00Z',
    actor: { type: 'system' },
    metadata: { n },
  });
const lines = (count: number) => Array.from({ length: count }, (_, n) => line(n)).join('\n');

async function run(
  files: Record<string, string | Uint8Array>,
  options: Partial<ImportOptions> & Pick<ImportOptions, 'log'>,
) {
  const names = await Promise.all(
    Object.entries(files).map(async ([name, content]) => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    }),
  );
  const rejects: Reject[] = [];
  const result = await importFiles({
    inputs: await openInputs(names, process.stdin),
    toActivity: formatReader('annals'),
    onReject: (reject) => void rejects.push(reject),
    ...options,
  });
  return { result, rejects };
}

test('every line ends as stored, duplicate or refused, and the totals add up', async () => {
  const { log } = aLog();
  const { result, rejects } = await run(
    {
      'a.ndjson': `${line(1)}\n\n${line(2)}\r\n${line(1)}\nnot json\n{"action":"a.b"}\n`,
      'b.ndjson.gz': gzipSync(line(2)),
    },
    { log },
  );
  expect(result.files).toEqual([
    { file: join(folder, 'a.ndjson'), lines: 5, stored: 2, duplicates: 1, refused: 2 },
    { file: join(folder, 'b.ndjson.gz'), lines: 1, stored: 0, duplicates: 1, refused: 0 },
  ]);
  expect(rejects).toEqual([
    {
      file: join(folder, 'a.ndjson'),
      line: 5,
      code: 'invalid_input',
      message: expect.stringContaining('is not JSON') as string,
      raw: 'not json',
    },
    expect.objectContaining({ line: 6, path: 'occurredAt' }) as Reject,
  ]);
});

test('the same import again stores nothing', async () => {
  const { log } = aLog();
  const content = lines(1_200);
  await run({ 'a.ndjson': content }, { log });
  const { result } = await run({ 'a.ndjson': content }, { log });
  expect(result.files).toMatchObject([{ lines: 1_200, stored: 0, duplicates: 1_200, refused: 0 }]);
});

test('calls stay within the batch, and what a server finds too large goes in halves', async () => {
  const { log, calls, stored } = aLog({ callMax: 200 });
  const { result } = await run({ 'a.ndjson': lines(1_100) }, { log });
  expect(Math.max(...calls)).toBe(importLimits.batchLinesMax);
  expect(stored.size).toBe(1_100);
  expect(result.files).toMatchObject([{ stored: 1_100 }]);
  const single = await run({ 'b.ndjson': line(-1) }, { log: aLog({ callMax: 0 }).log });
  expect(single.rejects).toMatchObject([{ line: 1, code: 'too_large' }]);
});

test('a server that fails stops the import at a line, and the same import again goes on there', async () => {
  const failing = aLog({ failAtCall: 2 });
  const { result } = await run({ 'a.ndjson': lines(2_000) }, { log: failing.log });
  expect(result.stopped).toMatchObject({
    line: importLimits.batchLinesMax + 1,
    cause: { code: 'unavailable' },
  });
  const again = await run({ 'a.ndjson': lines(2_000) }, { log: failing.log });
  expect(again.result.stopped).toBeUndefined();
  expect(failing.stored.size).toBe(2_000);
});

test('an interrupt ends the import after the batches in hand', async () => {
  const { log, stored } = aLog();
  const controller = new AbortController();
  const interrupting = async (activities: ActivityInput[]) => {
    controller.abort();
    return log(activities);
  };
  const { result } = await run(
    { 'a.ndjson': lines(2_000) },
    { log: interrupting, signal: controller.signal },
  );
  expect(result.stopped).toMatchObject({ line: importLimits.batchLinesMax + 1 });
  expect(result.files).toMatchObject([{ lines: importLimits.batchLinesMax, stored: stored.size }]);
});

test('a gzip file that ends too early keeps what it had, says so, and the next file is read', async () => {
  const { log } = aLog();
  const whole = gzipSync(lines(3_000));
  const { result } = await run(
    { 'a.ndjson.gz': whole.subarray(0, whole.length - 20), 'b.ndjson': line(-1) },
    { log },
  );
  const [broken, next] = result.files;
  expect(broken).toMatchObject({ problem: expect.stringContaining('cannot be read to its end') as string });
  expect(broken?.lines).toBe((broken?.stored ?? 0) + (broken?.duplicates ?? 0) + (broken?.refused ?? 0));
  expect(next).toMatchObject({ stored: 1 });
});

test('lines that are no text or too long are refused by number, without their content', async () => {
  const { log } = aLog();
  const long = JSON.stringify({ text: 'x'.repeat(importLimits.lineBytesMax) });
  const content = Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(`${long}\n${line(1)}`)]);
  const { result, rejects } = await run({ 'a.ndjson': content }, { log });
  expect(rejects.map(({ line: number, code, raw }) => ({ number, code, raw }))).toEqual([
    { number: 1, code: 'invalid_input', raw: undefined },
    { number: 2, code: 'too_large', raw: undefined },
  ]);
  expect(result.files).toMatchObject([{ lines: 3, stored: 1, refused: 2 }]);
});

test('a file that cannot be read is a usage error before anything is stored', async () => {
  await expect(openInputs([join(folder, 'none.ndjson')], process.stdin)).rejects.toThrow(
    /none\.ndjson cannot be read/,
  );
  await expect(openInputs([folder], process.stdin)).rejects.toThrow(/it is a directory/);
  await expect(openInputs(['-', '-'], process.stdin)).rejects.toThrow(/once only/);
});

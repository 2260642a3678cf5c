import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createAnnals, receiptLine } from '@annals/client';
import { openAnnals, operatorPrincipal } from '@annals/server';
import { anActivity } from '@annals/testkit';
import type { BundleReport } from '@annals/tlog';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestCli, type TestCli } from '../testing.ts';

let cli: TestCli;
let folder: string;
/** A bundle of a real log, several tiles long, the policy that trusts it, and what its making gave. */
let lines: string[];
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  cli = await openTestCli();
  folder = await mkdtemp(join(tmpdir(), 'annals-verify-'));
  const annals = await openAnnals({ database: { url: cli.databaseUrl } });
  try {
    await annals.startWorker();
    await annals.startSigner({ dir: file('signer'), logName: 'log.test' });
    const fetch = annals.localFetch(operatorPrincipal());
    const client = createAnnals({ url: 'http://in-process', fetch, tenantId: 't1' });
    const activities = Array.from({ length: 1_400 }, (_, n) =>
      anActivity({ message: `<b>number ${n}</b>`, metadata: { n } }),
    );
    const { results, ack, batches } = await client.logMany(activities, { ack: 'sequenced' });
    expect(ack).toBe('sequenced');
    const stored = results.flatMap((item) => (item.status === 'stored' ? [item] : []));
    await writeFile(file('receipts'), stored.map((item) => receiptLine('t1', item)).join(''));
    await writeFile(file('kept'), batches[0]?.checkpoint ?? '');
  } finally {
    await annals.close();
  }
  const shown = await cli.run(['log-key', 'show', '--policy', '--signer-dir', file('signer'), '--quiet']);
  await writeFile(file('policy'), shown.stdout);
  expect(await cli.run(['export', '--bundle', file('b.ndjson.gz')])).toMatchObject({ code: 0, stdout: '' });
  lines = gunzipSync(await readFile(file('b.ndjson.gz')))
    .toString()
    .trimEnd()
    .split('\n');
}, 60_000);
afterAll(async () => {
  await cli.close();
  await rm(folder, { recursive: true });
});

interface Verified {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: BundleReport;
}

async function verify(...args: string[]): Promise<Verified> {
  const ran = await cli.run(['verify', '--policy', file('policy'), '--output', 'json', '--quiet', ...args]);
  return { ...ran, report: (ran.stdout === '' ? {} : JSON.parse(ran.stdout)) as BundleReport };
}

async function verifyLines(changed: readonly string[], ...args: string[]): Promise<Verified> {
  await writeFile(file('changed'), changed.map((line) => `${line}\n`).join(''));
  return verify(file('changed'), ...args);
}

function recordAt(index: number): number {
  return lines.findIndex((line) => line.startsWith(`{"type":"record","epoch":1,"index":${index},`));
}

describe('a bundle', () => {
  test('verifies with nothing but the policy, compressed or not, on one thread or several', async () => {
    await writeFile(file('plain'), `${lines.join('\n')}\n`);
    for (const args of [
      [file('b.ndjson.gz'), '--threads', '3'],
      [file('plain'), '--threads', '1'],
    ]) {
      const { code, report, stderr } = await verify(...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(report).toMatchObject({ verdict: 'valid', tenantId: 't1', findings: [] });
      expect(report.counts).toMatchObject({ disclosed: report.logs[0]?.size, unexplained: 0 });
    }
  });

  test('is compared with a checkpoint and with receipts that were kept', async () => {
    const { code, report } = await verify(
      file('b.ndjson.gz'),
      '--old-checkpoint',
      file('kept'),
      '--receipts',
      file('receipts'),
    );
    expect(code).toBe(0);
    expect(report).toMatchObject({
      heldCheckpoints: 1,
      receipts: { checked: 1_400, found: 1_400, missing: 0 },
    });
  });

  test.each([1, 3])('that was changed ends with exit code 7, on %i threads', async (threads) => {
    const at = recordAt(1_300);
    const changed = lines.with(at, (lines[at] as string).replace('number 1', 'number 9'));
    const { code, report } = await verifyLines(changed, '--threads', String(threads));
    expect(code).toBe(7);
    expect(report.findings).toMatchObject([
      { code: 'record_mismatch', count: 1, first: [{ epoch: 1, index: 1_300 }] },
    ]);
    expect(report.counts.unexplained).toBe(1);
  });

  test('that was cut off ends with exit code 7, compressed too', async () => {
    expect(await verifyLines(lines.slice(0, -1))).toMatchObject({
      code: 7,
      report: { findings: [{ code: 'bundle_truncated' }] },
    });
    const whole = await readFile(file('b.ndjson.gz'));
    await writeFile(file('cut.gz'), whole.subarray(0, whole.length / 2));
    expect(await verify(file('cut.gz'))).toMatchObject({
      code: 7,
      report: { findings: [{ code: 'bundle_malformed' }] },
    });
  });

  test.each([
    ['nothing', ''],
    ['other text', 'hello\n'],
    ['a long line', 'x'.repeat(5_000_000)],
    ['a block first', '{"type":"tile","epoch":1,"index":0,"hashes":""}\n'],
    ['zeros in gzip', gzipSync(Buffer.alloc(20_000_000))],
  ])('of %s is invalid, and nothing worse', async (_, content) => {
    await writeFile(file('hostile'), content);
    const { code, report } = await verify(file('hostile'));
    expect(code).toBe(7);
    expect(report.findings[0]?.code).toMatch(/^bundle_/);
  });

  test('is told of in words and on a page that holds nothing of the bundle as markup', async () => {
    const at = lines.findIndex((line) => line.startsWith('{"type":"bundle"'));
    const hostile = (lines[at] as string).replace(
      '"tenantId":"t1"',
      '"tenantId":"<script>alert(1)</script>"',
    );
    await writeFile(file('changed'), [hostile, ...lines.slice(1), ''].join('\n'));
    const args = ['verify', file('changed'), '--policy', file('policy'), '--html', file('report.html')];
    const { code, stdout } = await cli.run(args);
    expect(code).toBe(7);
    expect(stdout).toContain('The bundle is NOT valid.');
    const page = await readFile(file('report.html'), 'utf8');
    expect(page).toContain('<h1>The bundle is NOT valid.</h1>');
    expect(page).not.toMatch(/<script|<b>|https?:|src=|href=/);
    const good = await cli.run(['verify', file('b.ndjson.gz'), '--policy', file('policy')]);
    expect(good.stdout).toMatch(/The bundle is valid\.\n[^]*disclosed +1,4\d\d[^]*UNEXPLAINED +0\n/);
  });
});

describe('what cannot be verified', () => {
  test.each([
    [['{bundle}', '--policy', '{missing}']],
    [['{bundle}', '--policy', '{empty}']],
    [['{bundle}', '--policy', '{none}']],
    [['{missing}', '--policy', '{policy}']],
    [['{bundle}', '--policy', '{policy}', '--old-checkpoint', '{policy}']],
    [['{bundle}', '--policy', '{policy}', '--receipts', '{policy}']],
    [['{bundle}', '--policy', '{policy}', '--now', 'today']],
    [['{bundle}', '--policy', '{policy}', '--certificate', '{policy}']],
    [['--policy', '{policy}']],
    [['{bundle}']],
  ])('is a usage error: verify %j', async (args) => {
    await writeFile(file('empty'), '');
    await writeFile(file('none'), 'quorum none\n');
    const named = args.map((arg) => arg.replace('{bundle}', file('b.ndjson.gz')).replace(/[{}]/g, ''));
    const paths = named.map((arg) => (/^(?:missing|empty|none|policy)$/.test(arg) ? file(arg) : arg));
    expect(await cli.run(['verify', ...paths])).toMatchObject({ code: 2, stdout: '' });
  });

  test('a bundle is all of a log, so that it takes no query', async () => {
    const ran = await cli.run(['export', '--bundle', file('x'), '--query', 'actor:alice']);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('--query') });
    expect(await cli.run(['export', '--bundle', file('b.ndjson.gz')])).toMatchObject({ code: 2 });
  });
});

describe('the process', () => {
  const main = join(import.meta.dirname, '../main.ts');

  async function start(args: readonly string[], stdin?: Buffer) {
    const child = spawn(process.execPath, ['--conditions=@annals/source', main, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  }

  test('needs neither a server nor a setting, and reads standard input', async () => {
    const bundle = await readFile(file('b.ndjson.gz'));
    const args = ['verify', '-', '--policy', 'policy', '--quiet', '--output', 'json'];
    const { code, stdout, stderr } = await start(args, bundle);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'valid' });
    expect((await start(args, bundle.subarray(0, 1_000))).code).toBe(7);
    expect((await start(['verify', '-', '--policy', 'nowhere'])).code).toBe(2);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { findingCodes, formatPolicy, parsePolicy } from '@annals/tlog';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type BundleCase,
  type CertificateCase,
  type Comparison,
  compareBundles,
  compareCertificates,
} from './conformance/compare.ts';
import { cosignedCases } from './conformance/cosigned.ts';
import { casesOfEachFinding } from './conformance/each-finding.ts';
import { type Exhibits, makeExhibits } from './conformance/exhibits.ts';
import { forgersKey } from './conformance/forge.ts';
import { type Mutation, mutate, mutateCertificate, mutations } from './conformance/mutate.ts';
import { oddRecords } from './conformance/odd-records.ts';
import { oddSignatures } from './conformance/odd-signatures.ts';
import { hasPython, runPython } from './conformance/python.ts';

/** More runs look longer; another seed looks elsewhere. */
const numRuns = Number(process.env['ANNALS_CONFORMANCE_RUNS'] ?? 100);
const seed = Number(process.env['ANNALS_CONFORMANCE_SEED'] ?? 1);
const timeoutMs = 60_000 + numRuns * 500;

const isHere = await hasPython();
const title = 'the second verifier, written from the format page alone';

describe.skipIf(!isHere)(isHere ? title : `${title}: needs python3 of version 3.10 or later`, () => {
  let dir: string;
  let exhibits: Exhibits;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'annals-conformance-'));
    exhibits = await makeExhibits();
  }, timeoutMs);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  test('agrees with the vectors', async () => {
    const { code, stdout } = await runPython([
      '--vectors',
      resolve(import.meta.dirname, '../../packages/tlog/vectors'),
    ]);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { failures: unknown }).failures),
    ).toEqual(Array.from({ length: 9 }, () => []));
    expect(code).toBe(0);
  });

  test('agrees about what real services write', async () => {
    const bundles = await compareBundles(dir, [...exhibits.bundles, exhibits.long]);
    expectAgreement(bundles);
    expect(new Set(bundles.map(({ ours }) => ours.exit))).toEqual(new Set([0, 7, 8]));
    const certificates = await compareCertificates(dir, exhibits.certificates);
    expectAgreement(certificates);
    expect(new Set(certificates.map(({ ours }) => ours.exit))).toEqual(new Set([0, 8]));
  });

  test('agrees about each kind of finding', async () => {
    const exhibit = exhibits.bundles.find(({ name }) => name === 'of two epochs') ?? expect.fail();
    const cases = casesOfEachFinding(exhibit);
    const compared = await compareBundles(dir, cases);
    expectAgreement(compared);
    for (const { name, ours } of compared) {
      expect(
        ours.findings?.map((found) => found.split('@')[0]),
        name,
      ).toContain(name);
    }
    const others = ['manifest_open', 'request_missing', 'entries_lost', 'quorum_missing', 'quorum_awaited'];
    expect(new Set([...cases.map(({ code }) => code), ...others])).toEqual(
      new Set(Object.keys(findingCodes)),
    );
  });

  test('agrees about records of every form', async () => {
    const [whole] = exhibits.bundles as [BundleCase];
    const cases = oddRecords(whole);
    const compared = await compareBundles(dir, cases);
    expectAgreement(compared);
    expect(compared.map(({ name, ours }) => [name, ours.exit === 0])).toEqual(
      cases.map(({ name, isValid }) => [name, isValid]),
    );
  });

  test('agrees about signatures that only a careless verifier takes', async () => {
    const [whole] = exhibits.bundles as [BundleCase];
    const compared = await compareBundles(dir, oddSignatures(whole));
    expectAgreement(compared);
    for (const { name, ours } of compared) {
      expect(ours.findings?.[0], name).toMatch(/^(?:held_)?checkpoint_untrusted@1$/);
    }
  });

  test('agrees about quorums of witnesses', async () => {
    const sealed = exhibits.bundles.find(({ name }) => name === 'sealed') ?? expect.fail();
    const compared = await compareBundles(dir, cosignedCases(sealed));
    expectAgreement(compared);
    expect(new Set(compared.map(({ ours }) => ours.exit))).toEqual(new Set([0, 7, 8]));
  });

  test(
    'agrees about bundles that were tampered with, also by who has the key',
    async () => {
      const { bundles, long } = exhibits;
      const all = [...bundles, ...bundles, long];
      const cases = sample((mutation): BundleCase => {
        const exhibit = all[mutation.exhibit % all.length] as BundleCase;
        const { text, what } = mutate(String(exhibit.text), mutation);
        const isForged = mutation.forged !== 'no' && mutation.kind !== 'text';
        return {
          ...exhibit,
          name: `${exhibit.name}: ${what}`,
          text,
          ...(isForged && { policy: forgersPolicy(exhibit.policy), held: [] }),
        };
      });
      expectAgreement(await compareBundles(dir, cases));
    },
    timeoutMs,
  );

  test(
    'agrees about certificates that were tampered with',
    async () => {
      const { certificates } = exhibits;
      const cases = sample((mutation): CertificateCase => {
        const exhibit = certificates[mutation.exhibit % certificates.length] as CertificateCase;
        const { text, what } = mutateCertificate(exhibit.text, mutation);
        return { ...exhibit, name: `${exhibit.name}: ${what}`, text };
      });
      expectAgreement(await compareCertificates(dir, cases));
    },
    timeoutMs,
  );

  test('agrees about files that are no bundles', async () => {
    const [{ text, ...rest }] = exhibits.bundles as [BundleCase];
    const [header = '', ...lines] = String(text).split('\n');
    const files: Record<string, string | Uint8Array> = {
      nothing: '',
      'a newline': '\n',
      'bytes that are no text': Uint8Array.from({ length: 1_000 }, (_, at) => (at * 7) % 256),
      'a line that does not end': 'x'.repeat(5_000_000),
      'a line of brackets': `${'['.repeat(1_000_000)}\n`,
      'a header of brackets': `${header.replace(/"logs":.*/, `"logs":${'['.repeat(4_000)}${']'.repeat(4_000)}}`)}\n`,
      'a header alone': `${header}\n`,
      'a line of more than 4 MiB': [
        header,
        `{"type":"policy","text":"${'x'.repeat(4_300_000)}"}`,
        ...lines,
      ].join('\n'),
      'two bundles': `${String(text)}${String(text)}`,
      'no log': `${header.replace(/"logs":.*/, '"logs":[]}')}\n{"type":"end","records":0}\n`,
    };
    const cases = Object.entries(files).map(([name, file]) => ({ ...rest, name, text: file }));
    const compared = await compareBundles(dir, cases);
    expectAgreement(compared);
    for (const { ours } of compared) expect(ours.exit).toBe(7);
  });

  test('tells by its exit code what it found, and reads gzip', async () => {
    const { bundles } = exhibits;
    const files = {
      policy: join(dir, 'policy'),
      receipts: join(dir, 'receipts'),
      none: join(dir, 'none'),
      zipped: join(dir, 'zipped'),
      broken: join(dir, 'broken'),
      open: join(dir, 'open'),
    };
    const [whole, , open] = bundles as [BundleCase, BundleCase, BundleCase];
    const zipped = gzipSync(whole.text);
    await writeFile(files.policy, open.policy);
    await writeFile(files.receipts, whole.receipts.join('\n'));
    await writeFile(files.zipped, zipped);
    await writeFile(files.broken, zipped.subarray(0, -100));
    await writeFile(files.open, open.text);
    const now = open.now.toISOString();
    expect(await codeOf(files.zipped, '--policy', files.policy, '--receipts', files.receipts)).toBe(0);
    expect(await codeOf(files.open, '--policy', files.policy, '--now', now)).toBe(8);
    expect(await codeOf(files.broken, '--policy', files.policy)).toBe(7);
    expect(await codeOf(files.none, '--policy', files.policy)).toBe(2);
    expect(await codeOf(files.zipped, '--policy', files.zipped)).toBe(2);
    expect(await codeOf(files.zipped)).toBe(2);
    expect(await codeOf(files.zipped, '--policy', files.policy, '--now', 'today')).toBe(2);
  });
});

function sample<T>(toCase: (mutation: Mutation) => T): T[] {
  return fc.sample(mutations, { numRuns, seed }).map(toCase);
}

async function codeOf(...args: string[]): Promise<number> {
  return (await runPython(args)).code;
}

/** The same policy with another key of the log. */
function forgersPolicy(policy: string): string {
  const { name } = parsePolicy(policy).logs[0]?.key ?? expect.fail();
  return formatPolicy({ logs: [{ key: forgersKey(name) }], witnesses: [], quorum: { kind: 'none' } });
}

function expectAgreement(compared: readonly Comparison[]): void {
  expect(compared.length).toBeGreaterThan(0);
  const differ = compared.filter(({ ours, theirs }) => !isDeepStrictEqual(ours, theirs));
  // A line for each, since there can be many.
  const lines = differ.map(({ name, ours, theirs }) => [name, JSON.stringify(ours), JSON.stringify(theirs)]);
  expect(lines.map((line) => line.join('\n  '))).toEqual([]);
}

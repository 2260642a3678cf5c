import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBase64 } from '../base64.ts';
import type { Manifest } from '../entry/manifest.ts';
import { mangled, turnBit } from '../testing.ts';
import type { BundleVerification } from './bundle-verifier.ts';
import type { BundleLine, ManifestLine, RecordLine, TileLine } from './lines.ts';
import { type Receipt } from './receipts.ts';
import { bundleOf, bytesOfLines, createTestLog, testKey, testNow, testPolicy } from './testing.ts';
import { verifyAuditBundle } from './verify-bundle.ts';

const manifestId = '019756b0-0000-7000-8000-00000000000a';
const salt = new Uint8Array(16).fill(3);

async function verify(lines: readonly BundleLine[], options: Partial<BundleVerification> = {}) {
  return verifyAuditBundle([bytesOfLines(lines)], { policy: testPolicy, now: testNow, ...options });
}

async function codesOf(lines: readonly BundleLine[], options: Partial<BundleVerification> = {}) {
  const { verdict, findings } = await verify(lines, options);
  return [verdict, ...findings.map(({ code }) => code)];
}

/** A log in which something was erased and something purged, sealed and explained. */
function eventfulLog() {
  const log = createTestLog();
  for (let count = 0; count < 300; count += 1) log.append();
  const request = { own: true, recordedAt: new Date(testNow.getTime() - 3_600_000) };
  log.append({ ...request, action: 'erasure.requested', target: { type: 'job', id: 'j1' } });
  const erasure: Manifest = { kind: 'erasure', salt, items: [log.erase(3), log.erase(299)] };
  const purge: Manifest = { kind: 'purge', salt, items: [{ epoch: 1, start: 250, end: 260 }] };
  log.seal('m1', erasure);
  log.seal('m2', purge);
  log.append();
  return {
    log,
    manifests: [
      { id: 'm1', manifest: erasure },
      { id: 'm2', manifest: purge },
    ],
    without: [250, 251, 252, 253, 254, 255, 256, 257, 258, 259],
  };
}

function eventful(): BundleLine[] {
  const { log, manifests, without } = eventfulLog();
  return bundleOf({ logs: [log], manifests, without, checkpoints: [1, 255, 256, 257, 300] });
}

async function verdictWith(requestedHoursAgo: number, ended: boolean) {
  const log = createTestLog();
  log.append();
  const recordedAt = new Date(testNow.getTime() - requestedHoursAgo * 3_600_000);
  const job = { own: true, recordedAt, target: { type: 'job', id: 'j1' } };
  log.append({ ...job, action: 'erasure.requested' });
  if (ended) log.append({ ...job, action: 'erasure.completed' });
  const manifest: Manifest = { kind: 'erasure', salt, items: [log.erase(0)] };
  return codesOf(bundleOf({ logs: [log], manifests: [{ id: manifestId, manifest }] }));
}

function secondEpoch(checkpoint: string) {
  const second = createTestLog({ epoch: 2, origin: `${testKey.name}/e2` });
  second.append({ own: true, action: 'annals.epoch_opened', metadata: { checkpoint } });
  second.append();
  return second;
}

function recordAt(lines: readonly BundleLine[], index: number): number {
  return lines.findIndex((line) => line.type === 'record' && line.index === index);
}

function change(lines: readonly BundleLine[], at: number, to: object): BundleLine[] {
  return lines.with(at, { ...lines[at], ...to } as BundleLine);
}

describe('a bundle', () => {
  test('accounts for every index, and is valid when all holds', async () => {
    const report = await verify(eventful());
    expect(report).toMatchObject({
      verdict: 'valid',
      tenantId: 't1',
      counts: { disclosed: 292, erased: 2, purged: 10, pending: 0, unexplained: 0 },
      manifests: { sealed: 2, open: 0 },
      logs: [{ epoch: 1, size: 304, checkpoints: 6, keys: [expect.stringContaining('log.example/t1+')] }],
      findings: [],
    });
  });

  test('is the same however its bytes come', async () => {
    const bytes = bytesOfLines(eventful());
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 5 }), async (cuts) => {
        const bounds = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = bounds.slice(1).map((end, at) => bytes.subarray(bounds[at], end));
        const { verdict } = await verifyAuditBundle(chunks, { policy: testPolicy, now: testNow });
        expect(verdict).toBe('valid');
      }),
      { numRuns: 10 },
    );
  });

  test('cut anywhere is not valid', async () => {
    const bytes = bytesOfLines(eventful());
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        const report = await verifyAuditBundle([bytes.subarray(0, length)], {
          policy: testPolicy,
          now: testNow,
        });
        expect(report.verdict).toBe('invalid');
        expect(report.findings.map(({ code }) => code)).toContainEqual(
          expect.stringMatching(/^bundle_(truncated|malformed)$/),
        );
      }),
      { numRuns: 30 },
    );
  });

  test('cut within a tile accuses nobody of what came behind the cut', async () => {
    const lines = eventful();
    const { findings } = await verify(lines.slice(0, recordAt(lines, 40)));
    expect(findings.map(({ code }) => code)).toEqual(['bundle_truncated']);
  });

  test('that is mangled never makes the verifier throw', async () => {
    const log = createTestLog();
    log.append();
    log.append();
    const item = log.erase(0);
    const manifest: Manifest = { kind: 'erasure', salt, items: [item] };
    log.seal('m1', manifest);
    const bytes = bytesOfLines(bundleOf({ logs: [log], manifests: [{ id: 'm1', manifest }] }));
    await fc.assert(
      fc.asyncProperty(mangled(bytes), async (broken) => {
        const { verdict } = await verifyAuditBundle([broken], { policy: testPolicy, now: testNow });
        expect(verdict).toMatch(/valid/);
      }),
      { numRuns: 200 },
    );
  });
});

describe('tampering is found:', () => {
  const lines = eventful();
  const record = lines[recordAt(lines, 7)] as RecordLine;
  const erased = lines[recordAt(lines, 3)] as RecordLine;
  const tileAt = lines.findIndex(({ type }) => type === 'tile');
  const tile = lines[tileAt] as TileLine;
  const manifestAt = lines.findIndex(({ type }) => type === 'manifest');
  const manifest = lines[manifestAt] as ManifestLine;
  const checkpointAt = lines.findIndex(({ type }) => type === 'checkpoint');
  const end = lines.length - 1;
  const fewer = (by: number) => ({ records: lines.filter(({ type }) => type === 'record').length - by });

  const cases: Record<string, readonly [tampered: readonly BundleLine[], ...codes: string[]]> = {
    'a second record at an index': [
      change(lines, end, fewer(-1)).toSpliced(recordAt(lines, 7), 0, { ...record }),
      'record_repeated',
    ],
    'a changed value': [
      change(lines, recordAt(lines, 7), { record: { ...record.record, message: 'other' } }),
      'record_mismatch',
    ],
    'another receive time': [
      change(lines, recordAt(lines, 7), {
        record: { ...record.record, recordedAt: testNow.toISOString() },
      }),
      'record_mismatch',
    ],
    'another time than the id has': [
      change(lines, recordAt(lines, 7), {
        record: { ...record.record, occurredAt: testNow.toISOString() },
      }),
      'record_contradicts',
    ],
    'another tenant': [
      change(lines, recordAt(lines, 7), { record: { ...record.record, tenantId: 't2' } }),
      'record_contradicts',
    ],
    'a member that nothing commits to': [
      change(lines, recordAt(lines, 7), { record: { ...record.record, approved: true } }),
      'record_malformed',
    ],
    'a list of erased fields on a whole record': [
      change(lines, recordAt(lines, 7), { record: { ...record.record, erased: ['reason'] } }),
      'record_mismatch',
    ],
    'a record taken for one of Annals': [change(lines, recordAt(lines, 7), { own: true }), 'record_mismatch'],
    'another seed': [
      change(lines, recordAt(lines, 7), { seed: encodeBase64(new Uint8Array(16)) }),
      'record_mismatch',
    ],
    'a missing record': [
      change(lines.toSpliced(recordAt(lines, 7), 1), end - 1, fewer(1)),
      'index_unexplained',
    ],
    'records in each other’s place': [
      change(
        change(lines, recordAt(lines, 7), { record: (lines[recordAt(lines, 8)] as RecordLine).record }),
        recordAt(lines, 8),
        { record: record.record },
      ),
      'record_mismatch',
    ],
    'an erased record whose rest was changed': [
      change(lines, recordAt(lines, 3), { record: { ...erased.record, erased: ['message', 'reason'] } }),
      'erasure_mismatch',
    ],
    'an erased record without its item': [
      change(lines, manifestAt, { items: manifest.items.slice(1) }),
      'erasure_unexplained',
      'manifest_mismatch',
    ],
    'an item for a whole record': [
      change(lines, manifestAt, {
        items: manifest.items.map((item) => ({
          ...item,
          ...('index' in item && item.index === 3 && { index: 4 }),
        })),
      }),
      'erasure_unexplained',
      'erasure_not_done',
      'manifest_mismatch',
    ],
    'a wider purge than was sealed': [
      change(lines.toSpliced(recordAt(lines, 249), 1), manifestAt + 1, {
        items: [{ epoch: 1, start: 249, end: 260 }],
      }).with(end - 1, { type: 'end', ...fewer(1) }),
      'manifest_mismatch',
    ],
    'a manifest that was left out': [
      lines.toSpliced(manifestAt + 1, 1),
      'index_unexplained',
      'manifest_missing',
    ],
    'manifests out of order': [
      lines.with(manifestAt, lines[manifestAt + 1] as BundleLine).with(manifestAt + 1, manifest),
      'manifest_order',
    ],
    'a tile with another hash': [
      change(lines, tileAt, {
        hashes: encodeBase64(turnBit(new Uint8Array(Buffer.from(tile.hashes, 'base64')), 80)),
      }),
      'checkpoint_mismatch',
      'record_mismatch',
    ],
    'a missing tile': [
      lines.filter((line) =>
        line.type !== 'tile' && line.type !== 'record'
          ? true
          : line.index === 0 || (line.type === 'record' && line.index < 256),
      ),
      'bundle_malformed',
    ],
    'no newest checkpoint': [lines.toSpliced(checkpointAt + 5, 1), 'checkpoint_missing'],
    'a checkpoint whose signature does not hold': [
      change(lines, checkpointAt, {
        note: (lines[checkpointAt] as { note: string }).note.replace('\n1\n', '\n2\n'),
      }),
      'checkpoint_untrusted',
      'checkpoint_mismatch',
    ],
    'checkpoints out of order': [
      lines
        .with(checkpointAt, lines[checkpointAt + 1] as BundleLine)
        .with(checkpointAt + 1, lines[checkpointAt] as BundleLine),
      'checkpoint_mismatch',
    ],
    'another number of records': [change(lines, end, fewer(1)), 'bundle_malformed'],
    'something behind the end': [[...lines, lines[1] as BundleLine], 'bundle_malformed'],
  };

  test.each(Object.entries(cases))('%s', async (_, [tampered, ...codes]) => {
    expect(await codesOf(tampered)).toEqual(['invalid', ...codes]);
  });
});

describe('a policy', () => {
  const log = createTestLog();
  log.append();
  const lines = bundleOf({ logs: [log] });

  test.each(['', 'quorum none\n', 'log nonsense\nquorum none\n'])('of %j is refused', async (policy) => {
    await expect(verify(lines, { policy })).rejects.toMatchObject({ reason: 'bad_policy' });
  });

  test('of other keys trusts nothing of the bundle, whatever the bundle says itself', async () => {
    const other = testPolicy.replace(
      /^log .*$/m,
      'log example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx',
    );
    expect(await codesOf(lines, { policy: other })).toEqual(['invalid', 'checkpoint_untrusted']);
  });
});

describe('a checkpoint that was kept', () => {
  const log = createTestLog();
  for (let count = 0; count < 260; count += 1) log.append();
  const lines = bundleOf({ logs: [log] });

  test('holds when the log extends it, at any size', async () => {
    const heldCheckpoints = [1, 100, 256, 259, 260].map((size) => log.checkpoint(size));
    expect(await verify(lines, { heldCheckpoints })).toMatchObject({ verdict: 'valid', heldCheckpoints: 5 });
  });

  test('finds a log that was rewritten, cut off, or left out', async () => {
    const rewritten = createTestLog();
    for (let count = 0; count < 261; count += 1) rewritten.append({ message: `other ${count}` });
    const other = createTestLog({ origin: `${testKey.name}/e2` });
    other.append();
    for (const [note, code] of [
      [rewritten.checkpoint(100), 'held_checkpoint_mismatch'],
      [rewritten.checkpoint(261), 'held_checkpoint_beyond'],
      [other.checkpoint(), 'held_checkpoint_unknown'],
    ] as const) {
      expect(await codesOf(lines, { heldCheckpoints: [note] })).toEqual(['invalid', code]);
    }
  });

  test('that is none is refused', async () => {
    await expect(verify(lines, { heldCheckpoints: ['nonsense'] })).rejects.toMatchObject({
      reason: 'bad_note',
    });
  });
});

describe('a manifest that is not sealed', () => {
  test('leaves the bundle pending while the request is recent, or its run has not ended', async () => {
    expect(await verdictWith(47, true)).toEqual(['pending', 'manifest_open']);
    expect(await verdictWith(100, false)).toEqual(['pending', 'manifest_open']);
  });

  test('makes it invalid without such a request', async () => {
    expect(await verdictWith(49, true)).toEqual(['invalid', 'request_missing']);
  });

  test('is not explained by a request that a caller wrote', async () => {
    const log = createTestLog();
    log.append();
    log.append({ action: 'erasure.requested', recordedAt: testNow, target: { type: 'job', id: 'j1' } });
    const manifest: Manifest = { kind: 'erasure', salt, items: [log.erase(0)] };
    const lines = bundleOf({ logs: [log], manifests: [{ id: manifestId, manifest }] });
    expect(await codesOf(lines)).toEqual(['invalid', 'request_missing']);
  });
});

describe('a later epoch', () => {
  const first = createTestLog();
  first.append();
  first.append();

  test('is valid when it cites where the one before it ends', async () => {
    const lines = bundleOf({ logs: [first, secondEpoch(first.checkpoint())] });
    expect(await verify(lines)).toMatchObject({
      verdict: 'valid',
      counts: { disclosed: 4 },
      logs: [{ epoch: 1 }, { epoch: 2, origin: 'log.example/t1/e2' }],
    });
  });

  test('is found when it cites another end, or none', async () => {
    for (const cited of [first.checkpoint(1), 'nothing']) {
      const lines = bundleOf({ logs: [first, secondEpoch(cited)] });
      expect(await codesOf(lines)).toEqual(['invalid', 'epoch_unlinked']);
    }
  });

  test('does not stand without the first', async () => {
    const [header, ...lines] = bundleOf({ logs: [first, secondEpoch(first.checkpoint())] });
    const logs = header?.type === 'bundle' ? header.logs.slice(1) : [];
    const rest = lines
      .filter((line) => !('epoch' in line) || line.epoch === 2)
      .toSpliced(-1, 1, {
        type: 'end',
        records: 2,
      });
    expect(await codesOf([{ ...header, logs } as BundleLine, ...rest])).toEqual([
      'invalid',
      'epoch_unlinked',
    ]);
  });
});

describe('a receipt', () => {
  const log = createTestLog();
  for (let count = 0; count < 3; count += 1) log.append();
  const receiptOf = (index: number): Receipt => {
    const entry = log.entries[index];
    if (!entry) throw new Error('no such entry');
    const { record, leaf } = entry;
    return { tenantId: 't1', batchId: record.id, position: 0, leaf, id: record.id };
  };
  const lines = bundleOf({ logs: [log] });

  test('is found in the log', async () => {
    const receipts = [receiptOf(0), receiptOf(2), { ...receiptOf(0), tenantId: 't2' }];
    expect(await verify(lines, { receipts })).toMatchObject({
      verdict: 'valid',
      receipts: { checked: 2, found: 2, missing: 0, newer: 0, others: 1 },
    });
  });

  test('whose activity is not in the log, or is another one there, makes the bundle invalid', async () => {
    const lost = {
      ...receiptOf(0),
      leaf: new Uint8Array(32),
      id: manifestId,
      batchId: '00000000-0000-7000-8000-000000000000',
    };
    expect(await codesOf(lines, { receipts: [lost] })).toEqual(['invalid', 'receipt_missing']);
    const replaced = { ...receiptOf(0), leaf: new Uint8Array(32) };
    expect(await codesOf(lines, { receipts: [replaced] })).toEqual(['invalid', 'receipt_mismatch']);
  });

  test('that is newer than the bundle waits for a later one', async () => {
    const newer = {
      ...receiptOf(0),
      leaf: new Uint8Array(32),
      id: manifestId,
      batchId: 'ffffffff-ffff-7000-8000-000000000000',
    };
    expect(await codesOf(lines, { receipts: [newer] })).toEqual(['pending', 'receipt_newer']);
  });
});

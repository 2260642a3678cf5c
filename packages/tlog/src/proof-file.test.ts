import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCheckpoint } from './note/checkpoint.ts';
import { cosign, signatureOf } from './note/sign-note.ts';
import { signingKey } from './note/signing-key.ts';
import type { Policy } from './policy/policy.ts';
import { formatProofFile, type ProofFile, parseProofFile, verifyProofFile } from './proof-file.ts';
import { attempt, leavesOf, mangled, reasonOf } from './testing.ts';
import { encodeText } from './text.ts';
import { TlogError } from './tlog-error.ts';
import { rootOf } from './tree/compact-range.ts';
import { inclusionRanges, readProof } from './tree/proof-ranges.ts';
import { readerOf } from './tree/subtrees.ts';

const log = signingKey({ name: 'example.com/log', type: 'ed25519', seed: new Uint8Array(32).fill(1) });
const key = signingKey({ name: 'w.example', type: 'cosignature', seed: new Uint8Array(32).fill(2) });
const witness = { name: 'w', key };
const policy: Policy = { logs: [{ key: log }], witnesses: [witness], quorum: { kind: 'witness', witness } };
const leaves = leavesOf(100);

function proofOf(index: number, size: number, extra?: Uint8Array): ProofFile {
  const tree = leaves.slice(0, size);
  const text = formatCheckpoint({ origin: log.name, size, root: rootOf(tree), extensions: [] });
  return {
    ...(extra && { extra }),
    index,
    proof: readProof(inclusionRanges(index, size), readerOf(tree)),
    checkpoint: { text, signatures: [signatureOf(text, log), cosign({ text }, { key, timestamp: 7 })] },
  };
}

const sample = formatProofFile(proofOf(12, 30, Uint8Array.of(1, 2, 3)));

test('a proof file round-trips and verifies offline', () => {
  const places = fc
    .integer({ min: 1, max: 100 })
    .chain((size) => fc.tuple(fc.nat(size - 1), fc.constant(size)));
  const extra = fc.option(fc.uint8Array({ minLength: 1, maxLength: 50 }), { nil: undefined });
  fc.assert(
    fc.property(places, extra, ([index, size], extra) => {
      const file = proofOf(index, size, extra);
      const text = formatProofFile(file);
      expect(parseProofFile(text)).toEqual(file);
      expect(parseProofFile(encodeText(text))).toEqual(file);
      const leafHash = leaves[index] as Uint8Array;
      expect(verifyProofFile({ file, leafHash, policy }).cosignatures).toEqual([{ witness, timestamp: 7 }]);
      const other = leaves[(index + 1) % 100] as Uint8Array;
      expect(reasonOf(() => verifyProofFile({ file, leafHash: other, policy }))).toBe('root_mismatch');
    }),
    { numRuns: 40 },
  );
});

test('a file has the lines of the specification', () => {
  const lines = sample.split('\n');
  expect(lines.slice(0, 3)).toEqual(['c2sp.org/tlog-proof@v1', 'extra AQID', 'index 12']);
  expect(lines.slice(3, 8).every((line) => line.length === 44)).toBe(true);
  expect(lines.slice(8, 11)).toEqual(['', 'example.com/log', '30']);
});

test('a proof that the policy does not accept is refused', () => {
  const leafHash = leaves[12] as Uint8Array;
  const file = parseProofFile(sample);
  const check = (changed: Partial<ProofFile>) =>
    reasonOf(() => verifyProofFile({ file: { ...file, ...changed }, leafHash, policy }));
  const { text, signatures } = file.checkpoint;
  expect(check({})).toBe('accepted');
  expect(check({ index: 13 })).toBe('root_mismatch');
  expect(check({ index: 30 })).toBe('bad_argument');
  expect(check({ proof: file.proof.slice(1) })).toBe('bad_proof');
  expect(check({ checkpoint: { text, signatures: signatures.slice(0, 1) } })).toBe('quorum_missing');
  expect(check({ checkpoint: { text, signatures: signatures.slice(1) } })).toBe('signature_missing');
  expect(check({ checkpoint: { text: text.replace('30', '31'), signatures } })).toBe('signature_invalid');
  // The extra data is not authenticated, and says so.
  expect(check({ extra: Uint8Array.of(9) })).toBe('accepted');
});

describe('files of another form are refused', () => {
  test.each([
    ['another version', sample.replace('@v1', '@v2'), 'bad_proof'],
    ['no index', sample.replace('index 12\n', ''), 'bad_proof'],
    ['an index with a leading zero', sample.replace('index 12', 'index 012'), 'bad_proof'],
    ['an index beyond 2^53', sample.replace('index 12', 'index 9007199254740993'), 'too_large'],
    [
      'extra data behind the index',
      sample.replace('extra AQID\nindex 12', 'index 12\nextra AQID'),
      'bad_base64',
    ],
    ['empty extra data', sample.replace('AQID', ''), 'bad_proof'],
    ['extra data twice', sample.replace('index', 'extra AQID\nindex'), 'bad_proof'],
    ['a short hash', sample.replace('index 12\n', 'index 12\nAAAA\n'), 'bad_proof'],
    [
      '65 hashes',
      sample.replace('index 12\n', `index 12\n${`${'A'.repeat(43)}=\n`.repeat(65)}`),
      'too_large',
    ],
    ['no checkpoint', sample.slice(0, sample.indexOf('\n\n') + 2), 'bad_note'],
    ['no empty line', sample.replaceAll('\n\n', '\n'), 'bad_proof'],
    ['carriage returns', sample.replaceAll('\n', '\r\n'), 'bad_proof'],
    ['more bytes than the limit', `${sample}${'x'.repeat(4_000_000)}`, 'too_large'],
    ['nothing', '', 'bad_proof'],
  ])('%s', (_, text, reason) => {
    expect(reasonOf(() => parseProofFile(text))).toBe(reason);
  });

  test('what would not be read back is not written', () => {
    const file = parseProofFile(sample);
    expect(reasonOf(() => formatProofFile({ ...file, extra: new Uint8Array() }))).toBe('bad_proof');
    expect(reasonOf(() => formatProofFile({ ...file, index: -1 }))).toBe('bad_argument');
    expect(reasonOf(() => formatProofFile({ ...file, proof: [new Uint8Array(31)] }))).toBe('bad_proof');
  });

  test('any bytes are refused or are the file that was read', () => {
    const anything = fc.oneof(fc.uint8Array({ maxLength: 60 }), mangled(encodeText(sample)));
    fc.assert(
      fc.property(anything, (bytes) => {
        const file = attempt(() => parseProofFile(bytes));
        if (file instanceof TlogError) return;
        expect(encodeText(formatProofFile(file))).toEqual(bytes);
        attempt(() => verifyProofFile({ file, leafHash: leaves[12] as Uint8Array, policy }));
      }),
      { numRuns: 1_000 },
    );
  });
});

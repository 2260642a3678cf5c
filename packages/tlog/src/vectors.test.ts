import { describe, expect, test } from 'vitest';
import { platform } from '#platform';
import {
  bundlePath,
  bundlesWritten,
  type Checkpoint,
  canonicalJson,
  consistencyRanges,
  cosign,
  emptyEdge,
  encodeBundle,
  formatCheckpoint,
  formatNote,
  formatPolicy,
  formatProofFile,
  formatSigningKey,
  formatVerifierKey,
  growTiles,
  hashLeaf,
  inclusionRanges,
  type KeyType,
  parsePolicy,
  parseProofFile,
  readerOf,
  readProof,
  rootOf,
  rootOfEdge,
  type SigningKey,
  signatureOf,
  signingKey,
  signNote,
  type TreeHead,
  tilePath,
  verifyConsistency,
  verifyInclusion,
  verifyProofFile,
} from './index.ts';
import { expectVectors } from './testing.ts';
import { decodeText, encodeText } from './text.ts';

const entries = Array.from({ length: 70_000 }, (_, index) => encodeText(`entry ${index}`));
const leaves = entries.map(hashLeaf);
const read = readerOf(leaves);

describe('our own vectors are what the code makes, and hold', () => {
  test('trees', async () => {
    const sizes = [
      ...Array.from({ length: 34 }, (_, size) => size),
      255,
      256,
      257,
      1_000,
      65_535,
      65_537,
      70_000,
    ];
    await expectVectors(
      'trees',
      sizes.map((size) => ({ size, root: rootAt(size) })),
    );
  });

  test('inclusion', async () => {
    const places = [1, 2, 3, 5, 7, 8, 31, 257, 70_000].flatMap((size) =>
      [0, 1, Math.floor(size / 2), size - 1]
        .filter((index, at, all) => index < size && all.indexOf(index) === at)
        .map((index) => ({ index, size })),
    );
    const lines = places.map(({ index, size }) => {
      const proof = readProof(inclusionRanges(index, size), read);
      verifyInclusion({ leafHash: leaves[index] as Uint8Array, index, size, root: rootAt(size), proof });
      return { index, size, proof };
    });
    await expectVectors('inclusion', lines);
  });

  test('consistency', async () => {
    const pairs = [1, 2, 3, 6, 8, 255, 256, 257, 4_000, 70_000].flatMap((from, at, all) =>
      all.slice(at).map((to) => ({ from, to })),
    );
    const lines = pairs.map(({ from, to }) => {
      const proof = readProof(consistencyRanges(from, to), read);
      verifyConsistency({ from: headAt(from), to: headAt(to), proof });
      return { from, to, proof };
    });
    await expectVectors('consistency', lines);
  });

  test('tiles', async () => {
    const steps = [0, 1, 200, 256, 300, 513, 1_000];
    let edge = emptyEdge;
    const lines = steps.slice(1).flatMap((to) => {
      const from = edge.size;
      const grown = growTiles(edge, leaves.slice(from, to));
      edge = grown.edge;
      expect(rootOfEdge(edge)).toEqual(rootAt(to));
      const bundles = [...bundlesWritten(from, to)].map((bundle) => {
        const start = bundle.index * 256;
        return { path: bundlePath(bundle), bytes: encodeBundle(entries.slice(start, start + bundle.width)) };
      });
      const tiles = grown.written.map(({ tile, bytes }) => ({ path: tilePath(tile), bytes }));
      return [...tiles, ...bundles].map(({ path, bytes }) => ({
        from,
        to,
        path,
        sha256: platform.sha256(bytes),
      }));
    });
    await expectVectors('tiles', lines);
  });

  test('signatures', async () => {
    const log = keyOf('log.example/tenant', 1, 'ed25519');
    const witnesses = [2, 3].map((byte) => keyOf(`witness.example/${byte}`, byte, 'cosignature'));
    const checkpoint: Checkpoint = { origin: log.name, size: 1_000, root: rootAt(1_000), extensions: [] };
    const text = formatCheckpoint(checkpoint);
    const cosignatures = witnesses.map((key, at) => cosign({ text }, { key, timestamp: 1_800_000_000 + at }));
    const signatures = [signatureOf(text, log), ...cosignatures];
    const proof = readProof(inclusionRanges(777, 1_000), read);
    const proofFile = formatProofFile({
      extra: encodeText('extra'),
      index: 777,
      proof,
      checkpoint: { text, signatures },
    });
    const members = witnesses.map((key, at) => ({
      kind: 'witness' as const,
      witness: { name: `w${at}`, key },
    }));
    const policy = formatPolicy({
      logs: [{ key: log, url: 'https://log.example/tenant/' }],
      witnesses: members.map(({ witness }) => witness),
      quorum: { kind: 'group', name: 'any-two', threshold: 2, members },
    });

    const leafHash = leaves[777] as Uint8Array;
    verifyProofFile({ file: parseProofFile(proofFile), leafHash, policy: parsePolicy(policy) });
    await expectVectors('signatures', [
      ...[log, ...witnesses].map((key) => ({
        kind: 'key',
        name: key.name,
        type: key.type,
        seed: key.seed,
        publicKey: key.publicKey,
        signingKey: formatSigningKey(key),
        verifierKey: formatVerifierKey(key),
      })),
      { kind: 'note', note: signNote('One line.\n\nAnother, with é and \u{1f602}.\n', [log]) },
      { kind: 'checkpoint', note: signNote(text, [log]) },
      { kind: 'cosigned checkpoint', note: formatNote({ text, signatures }) },
      { kind: 'proof file', index: 777, size: 1_000, file: proofFile },
      { kind: 'policy', file: policy },
    ]);
  });

  test('canonical JSON', async () => {
    const values: unknown[] = [
      null,
      [true, false, 0, -0, 1.5, 1e21, 1e-7, 123456789012345],
      { b: 1, a: 2, 10: 3, 9: 4, '': 5 },
      { '\ufb33': 'after', '\u{1f602}': 'before' },
      'quote " backslash \\ slash / control \u0000\u0008\u0009\u000a\u000c\u000d\u001f\u007f',
      { nested: [{ z: [], a: {} }] },
    ];
    await expectVectors(
      'canonical',
      values.map((value) => ({ value, canonical: decodeText(canonicalJson(value)) })),
    );
  });
});

function keyOf(name: string, byte: number, type: KeyType): SigningKey {
  return signingKey({ name, type, seed: new Uint8Array(32).fill(byte) });
}

const roots = new Map<number, Uint8Array>();

function rootAt(size: number): Uint8Array {
  const root = roots.get(size) ?? rootOf(leaves.slice(0, size));
  roots.set(size, root);
  return root;
}

function headAt(size: number): TreeHead {
  return { size, root: rootAt(size) };
}

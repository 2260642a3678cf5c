import { describe, expect, test } from 'vitest';
import { concatBytes } from '../bytes.ts';
import { parseCheckpoint } from '../note/checkpoint.ts';
import { parseNote } from '../note/signed-note.ts';
import { parseVerifierKey } from '../note/verifier-key.ts';
import { verifyNote } from '../note/verify-note.ts';
import { haveSharedVectors, readSharedVector, withSharedVectors } from '../testing.ts';
import { rootOf } from '../tree/compact-range.ts';
import { hashLeaf } from '../tree/hash.ts';
import { consistencyRanges, inclusionRanges, readProof } from '../tree/proof-ranges.ts';
import { verifyConsistency } from '../tree/verify-consistency.ts';
import { type TreeHead, verifyInclusion } from '../tree/verify-inclusion.ts';
import { decodeBundle, encodeBundle, verifyBundle } from './entry-bundle.ts';
import { emptyEdge, growTiles, rootOfEdge } from './grow-tiles.ts';
import { bundlePath, tilePath } from './tile-path.ts';
import { verifiedReader } from './tile-reader.ts';

const vkey = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';
const sizes = Array.from({ length: 16 }, (_, size) => size);

describe.skipIf(!haveSharedVectors)(`the log of transparency-dev/tessera${withSharedVectors}`, () => {
  test('every checkpoint is signed by its log', () => {
    for (const size of sizes) {
      const note = parseNote(readSharedVector(`tlog-tiles/checkpoint.${size}`));
      expect(verifyNote(note, [parseVerifierKey(vkey)])).toHaveLength(1);
      expect(headOf(size).size).toBe(size);
    }
    expect(readSharedVector('tlog-tiles/checkpoint')).toEqual(readSharedVector('tlog-tiles/checkpoint.15'));
  });

  test('every bundle, tile and root comes out of the entries', () => {
    const entries = decodeBundle(read(bundlePath({ index: 0, width: 15 })), 15);
    for (const size of sizes) {
      const some = entries.slice(0, size);
      const { edge, written } = growTiles(emptyEdge, some.map(hashLeaf));
      expect(rootOfEdge(edge)).toEqual(headOf(size).root);
      expect(rootOf(some.map(hashLeaf))).toEqual(headOf(size).root);
      for (const { tile, bytes } of written) expect(bytes).toEqual(read(tilePath(tile)));
      if (size === 0) continue;
      const bundle = read(bundlePath({ index: 0, width: size }));
      expect(encodeBundle(some)).toEqual(bundle);
      verifyBundle(decodeBundle(bundle, size), concatBytes(written.map((each) => each.bytes)));
    }
  });

  test('its tiles prove every entry and every growth', () => {
    for (const size of sizes.slice(1)) {
      const head = headOf(size);
      const path = tilePath({ level: 0, index: 0, width: size });
      const reader = verifiedReader(head, new Map([[path, read(path)]]));
      for (let index = 0; index < size; index += 1) {
        const leafHash = reader({ level: 0, index });
        verifyInclusion({ leafHash, index, ...head, proof: readProof(inclusionRanges(index, size), reader) });
        const proof = readProof(consistencyRanges(index + 1, size), reader);
        verifyConsistency({ from: headOf(index + 1), to: head, proof });
      }
    }
  });
});

function headOf(size: number): TreeHead {
  const { text } = parseNote(readSharedVector(`tlog-tiles/checkpoint.${size}`));
  const checkpoint = parseCheckpoint(text);
  return { size: checkpoint.size, root: checkpoint.root };
}

function read(path: string): Uint8Array {
  return new Uint8Array(readSharedVector(`tlog-tiles/${path}`));
}

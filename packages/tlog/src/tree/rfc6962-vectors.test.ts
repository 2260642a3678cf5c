import { describe, expect, test } from 'vitest';
import { attempt, haveSharedVectors, readSharedVector, withSharedVectors } from '../testing.ts';
import { TlogError } from '../tlog-error.ts';
import { verifyConsistency } from './verify-consistency.ts';
import { verifyInclusion } from './verify-inclusion.ts';

interface Vector {
  readonly path: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
}

interface InclusionVector extends Vector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
}

interface ConsistencyVector extends Vector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

describe.skipIf(!haveSharedVectors)(`the vectors of transparency-dev/merkle${withSharedVectors}`, () => {
  test('inclusion: each is accepted or refused as it asks', () => {
    for (const vector of read<InclusionVector>('rfc6962/inclusion.ndjson')) {
      const outcome = attempt(() =>
        verifyInclusion({
          leafHash: bytes(vector.leafHash),
          index: vector.leafIdx,
          size: vector.treeSize,
          root: bytes(vector.root),
          proof: (vector.proof ?? []).map(bytes),
        }),
      );
      expect(outcome instanceof TlogError, vector.path).toBe(vector.wantErr);
    }
  });

  test('consistency: each is accepted or refused as it asks', () => {
    for (const vector of read<ConsistencyVector>('rfc6962/consistency.ndjson')) {
      const outcome = attempt(() =>
        verifyConsistency({
          from: { size: vector.size1, root: bytes(vector.root1) },
          to: { size: vector.size2, root: bytes(vector.root2) },
          proof: (vector.proof ?? []).map(bytes),
        }),
      );
      expect(outcome instanceof TlogError, vector.path).toBe(vector.wantErr);
    }
  });
});

function read<T extends Vector>(path: string): T[] {
  const lines = readSharedVector(path).toString('utf8').trim().split('\n');
  expect(lines).toHaveLength(98);
  return lines.map((line) => JSON.parse(line) as T);
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leavesOf, naiveRoot, reasonOf, turnBit } from '../testing.ts';
import { appendLeaves, emptyRange, mergeRanges, rootOf, rootOfRange } from './compact-range.ts';
import { emptyRoot, hashLeaf, splitHashes } from './hash.ts';
import { consistencyRanges, inclusionRanges, readProof } from './proof-ranges.ts';
import { readerOf, subtreesOf } from './subtrees.ts';
import { verifyConsistency } from './verify-consistency.ts';
import { verifyInclusion } from './verify-inclusion.ts';

const tree = fc.integer({ min: 1, max: 300 }).map((size) => leavesOf(size, size % 256));

describe('hashes', () => {
  test('the empty tree and the empty leaf have the roots that RFC 6962 gives them', () => {
    expect(Buffer.from(emptyRoot).toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(Buffer.from(hashLeaf(new Uint8Array())).toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    expect(rootOf([])).toEqual(emptyRoot);
  });

  test('what is not made of whole hashes is refused', () => {
    expect(reasonOf(() => splitHashes(new Uint8Array(33)))).toBe('bad_argument');
    expect(reasonOf(() => rootOf([new Uint8Array(31)]))).toBe('bad_argument');
  });
});

describe('compact ranges', () => {
  test('the root of a range is the root of its leaves, however they were appended and merged', () => {
    const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 6 });
    fc.assert(
      fc.property(tree, cuts, fc.boolean(), (leaves, cuts, appending) => {
        const marks = [0, ...cuts.map((cut) => cut % leaves.length).toSorted((a, b) => a - b), leaves.length];
        let range = emptyRange();
        for (const [at, end] of marks.slice(1).entries()) {
          const part = leaves.slice(marks[at], end);
          range = appending
            ? appendLeaves(range, part)
            : mergeRanges(range, appendLeaves(emptyRange(marks[at]), part));
          expect(range.hashes).toHaveLength(subtreesOf(0, range.end).length);
        }
        expect(range.end).toBe(leaves.length);
        expect(rootOfRange(range)).toEqual(naiveRoot(leaves));
      }),
      { numRuns: 100 },
    );
  });

  test('merging is associative for ranges that start anywhere', () => {
    const leaves = leavesOf(64);
    const part = (start: number, end: number) => appendLeaves(emptyRange(start), leaves.slice(start, end));
    const bounds = fc.tuple(fc.nat(64), fc.nat(64), fc.nat(64), fc.nat(64));
    fc.assert(
      fc.property(bounds, (unsorted) => {
        const [a, b, c, d] = unsorted.toSorted((x, y) => x - y) as [number, number, number, number];
        const whole = part(a, d);
        expect(mergeRanges(mergeRanges(part(a, b), part(b, c)), part(c, d))).toEqual(whole);
        expect(mergeRanges(part(a, b), mergeRanges(part(b, c), part(c, d)))).toEqual(whole);
      }),
    );
  });

  test('appending leaves the given range as it was', () => {
    const range = appendLeaves(emptyRange(), leavesOf(7));
    const before = structuredClone(range);
    appendLeaves(range, leavesOf(9));
    expect(range).toEqual(before);
  });

  test('a range that cannot be is refused', () => {
    const range = appendLeaves(emptyRange(), leavesOf(7));
    expect(reasonOf(() => rootOfRange({ ...range, hashes: range.hashes.slice(1) }))).toBe('bad_argument');
    expect(reasonOf(() => rootOfRange({ ...range, start: 1 }))).toBe('bad_argument');
    expect(reasonOf(() => appendLeaves({ ...range, end: 2 ** 53 }, []))).toBe('bad_argument');
    expect(reasonOf(() => mergeRanges(range, emptyRange(8)))).toBe('bad_argument');
    expect(reasonOf(() => emptyRange(-1))).toBe('bad_argument');
  });

  test('the largest tree is within reach', () => {
    expect(subtreesOf(0, 2 ** 53 - 1)).toHaveLength(53);
    expect(inclusionRanges(2 ** 53 - 2, 2 ** 53 - 1)).toHaveLength(52);
    expect(consistencyRanges(2 ** 52 + 1, 2 ** 53 - 1).length).toBeLessThanOrEqual(64);
  });
});

describe('inclusion', () => {
  test('every entry of every tree is proved, and no bit of what is proved can turn', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(), (leafHashes, somewhere, bit) => {
        const size = leafHashes.length;
        const index = somewhere % size;
        const proof = readProof(inclusionRanges(index, size), readerOf(leafHashes));
        const root = naiveRoot(leafHashes);
        const leafHash = leafHashes[index] as Uint8Array;
        const good = { leafHash, index, size, root, proof };
        verifyInclusion(good);
        const broken = [
          { ...good, leafHash: turnBit(leafHash, bit) },
          { ...good, root: turnBit(root, bit) },
          { ...good, proof: [...proof, root] },
          { ...good, proof: proof.toSpliced(bit % (proof.length + 1), 0, root) },
          ...proof.map((hash, at) => ({ ...good, proof: proof.with(at, turnBit(hash, bit)) })),
          ...(size > 1
            ? [
                { ...good, index: (index + 1) % size },
                { ...good, proof: proof.slice(1) },
              ]
            : []),
        ];
        for (const each of broken) {
          expect(reasonOf(() => verifyInclusion(each))).toMatch(/^(root_mismatch|bad_proof)$/);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('an entry beyond the tree is refused', () => {
    const [leafHash] = leavesOf(1) as [Uint8Array];
    for (const [index, size] of [
      [1, 1],
      [-1, 1],
      [0, 0],
      [0.5, 1],
      [Number.NaN, 1],
      [0, 2 ** 53],
    ] as const) {
      const proof = { leafHash, index, size, root: leafHash, proof: [] };
      expect(reasonOf(() => verifyInclusion(proof))).toBe('bad_argument');
      expect(reasonOf(() => inclusionRanges(index, size))).toBe('bad_argument');
    }
  });
});

describe('consistency', () => {
  test('every tree is proved to follow from every smaller one of its leaves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(255), (size, seed) => {
        const leaves = leavesOf(size, seed);
        const roots = leaves.map((_, at) => naiveRoot(leaves.slice(0, at + 1)));
        for (const [small, fromRoot] of roots.entries()) {
          for (const [large, toRoot] of roots.entries()) {
            if (small > large) continue;
            const from = { size: small + 1, root: fromRoot };
            const to = { size: large + 1, root: toRoot };
            const ranges = consistencyRanges(from.size, to.size);
            verifyConsistency({ from, to, proof: readProof(ranges, readerOf(leaves.slice(0, to.size))) });
          }
        }
      }),
      { numRuns: 12 },
    );
  });

  test('no bit of what is proved can turn', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(), (leaves, somewhere, bit) => {
        const to = { size: leaves.length, root: naiveRoot(leaves) };
        const fromSize = (somewhere % to.size) + 1;
        const from = { size: fromSize, root: naiveRoot(leaves.slice(0, fromSize)) };
        const proof = readProof(consistencyRanges(fromSize, to.size), readerOf(leaves));
        verifyConsistency({ from, to, proof });
        const broken = [
          { from: { ...from, root: turnBit(from.root, bit) }, to, proof },
          { from, to: { ...to, root: turnBit(to.root, bit) }, proof },
          { from, to, proof: [...proof, to.root] },
          ...(proof.length > 0
            ? [
                { from, to, proof: proof.slice(1) },
                { from, to, proof: proof.slice(0, -1) },
              ]
            : []),
          ...proof.map((hash, at) => ({ from, to, proof: proof.with(at, turnBit(hash, bit)) })),
        ];
        for (const each of broken) {
          expect(reasonOf(() => verifyConsistency(each))).toMatch(/^(root_mismatch|bad_proof)$/);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('sizes that prove nothing are refused', () => {
    const [root] = leavesOf(1) as [Uint8Array];
    for (const [from, to] of [
      [0, 0],
      [0, 1],
      [2, 1],
      [1, 2 ** 53],
      [1.5, 2],
    ] as const) {
      const proof = { from: { size: from, root }, to: { size: to, root }, proof: [] };
      expect(reasonOf(() => verifyConsistency(proof))).toBe('bad_argument');
      expect(reasonOf(() => consistencyRanges(from, to))).toBe('bad_argument');
    }
  });
});

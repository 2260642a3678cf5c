import { TlogError } from '../tlog-error.ts';
import { checkInteger, splitPoint } from './size.ts';
import { foldHashes, type HashReader, type NodeId, subtreesOf } from './subtrees.ts';

/** The entries from `start` up to `end`, whose Merkle tree hash is one hash of a proof. */
export interface EntryRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What an inclusion proof consists of, the leaf's sibling first: PATH(m, D[n]) of RFC 6962, section 2.1.1.
 * Knowing it before any hash lets a caller fetch what it needs (`nodesOfProof`, `tilesForNodes`).
 */
export function inclusionRanges(index: number, size: number): EntryRange[] {
  checkInteger(size, { name: 'size', min: 1 });
  checkInteger(index, { name: 'index', max: size - 1 });
  const ranges: EntryRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.toReversed();
}

/**
 * What a consistency proof between two sizes of one tree consists of: PROOF(m, D[n]) of RFC 6962,
 * section 2.1.2. From the empty tree nothing can be proved, so `from` is at least 1.
 */
export function consistencyRanges(from: number, to: number): EntryRange[] {
  checkInteger(to, { name: 'the larger size', min: 1 });
  checkInteger(from, { name: 'the smaller size', min: 1, max: to });
  const ranges: EntryRange[] = [];
  let [start, end] = [0, to];
  while (from < end) {
    const middle = start + splitPoint(end - start);
    if (from <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  // The verifier knows the smaller tree's root, so that it is sent only where it is a part of it.
  if (start > 0) ranges.push({ start, end });
  return ranges.toReversed();
}

/** Every perfect subtree whose hash `readProof` will ask for. */
export function nodesOfProof(ranges: readonly EntryRange[]): NodeId[] {
  return ranges.flatMap(({ start, end }) => subtreesOf(start, end));
}

/** The hashes of a proof, from a reader of the perfect subtrees that `nodesOfProof` names. */
export function readProof(ranges: readonly EntryRange[], read: HashReader): Uint8Array[] {
  return ranges.map(({ start, end }) => {
    const hash = foldHashes(subtreesOf(start, end).map((node) => read(node)));
    if (!hash) throw new TlogError('bad_argument', 'a proof has no hash of an empty range');
    return hash;
  });
}

import { TlogError } from '../tlog-error.ts';
import { hashNode } from './hash.ts';

/**
 * A perfect subtree: node `index` of `level` covers the entries from `index * 2^level` up to
 * `(index + 1) * 2^level`. Level 0 are the leaves.
 */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

/** Reads the hash of a perfect subtree whose entries all exist. */
export type HashReader = (node: NodeId) => Uint8Array;

/**
 * The largest perfect subtrees that together cover the entries from `start` up to `end`, left to right.
 * For a whole tree these are what RFC 9162, section 2.1.2 keeps on its stack.
 */
export function subtreesOf(start: number, end: number): NodeId[] {
  const nodes: NodeId[] = [];
  for (let at = start; at < end; ) {
    let level = 0;
    let width = 1;
    while (at % (width * 2) === 0 && at + width * 2 <= end) {
      width *= 2;
      level += 1;
    }
    nodes.push({ level, index: at / width });
    at += width;
  }
  return nodes;
}

/** The Merkle tree hash over subtrees of descending size: hashed together from the right. */
export function foldHashes(hashes: readonly Uint8Array[]): Uint8Array | undefined {
  let folded: Uint8Array | undefined;
  for (const hash of hashes.toReversed()) folded = folded ? hashNode(hash, folded) : hash;
  return folded;
}

/** A reader over leaf hashes in memory; it keeps all inner nodes, about 64 bytes for each leaf. */
export function readerOf(leafHashes: readonly Uint8Array[]): HashReader {
  const levels: (readonly Uint8Array[])[] = [leafHashes];
  for (let below = leafHashes; below.length > 1; ) {
    below = parentsOf(below);
    levels.push(below);
  }
  return ({ level, index }) => {
    const hash = levels[level]?.[index];
    if (!hash)
      throw new TlogError('bad_argument', `the tree has no complete node ${index} at level ${level}`);
    return hash;
  };
}

/** The nodes one level up; a last node without a sibling has no parent yet. */
export function parentsOf(hashes: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let at = 0; at + 1 < hashes.length; at += 2) {
    parents.push(hashNode(hashes[at] as Uint8Array, hashes[at + 1] as Uint8Array));
  }
  return parents;
}

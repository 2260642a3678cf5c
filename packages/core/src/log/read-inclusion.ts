import { type HashReader, inclusionRanges, type NodeId, nodesOfProof, readProof } from '@annals/tlog';
import type { Tx } from '../database/database.ts';
import { logReader, type TreeOfLog } from './log-reader.ts';

/** Where one entry stands in a tree, and what proves it. */
export interface Inclusion {
  readonly index: number;
  /** The leaf hash that the log holds there. */
  readonly leaf: Uint8Array;
  readonly hashes: readonly Uint8Array[];
}

export interface EntriesOfTree extends TreeOfLog {
  /** The first of them, and how many follow each other. */
  readonly index: number;
  readonly count: number;
}

/** The inclusion of entries that follow each other, all in one reading of the tiles. */
export async function readInclusions(
  tx: Tx,
  { index: first, count, ...tree }: EntriesOfTree,
): Promise<Inclusion[]> {
  const entries = Array.from({ length: count }, (_, at) => {
    const index = first + at;
    return { index, node: { level: 0, index }, ranges: inclusionRanges(index, tree.size) };
  });
  const nodes = entries.flatMap(({ node, ranges }) => [node, ...nodesOfProof(ranges)]);
  // Neighbours share most of their proofs.
  const hashOf = remember(await logReader(tx, tree, nodes));
  return entries.map(({ index, node, ranges }) => ({
    index,
    leaf: hashOf(node),
    hashes: readProof(ranges, hashOf),
  }));
}

function remember(hashOf: HashReader): HashReader {
  const known = new Map<string, Uint8Array>();
  return (node: NodeId) => {
    const key = `${node.level}/${node.index}`;
    const hash = known.get(key) ?? hashOf(node);
    known.set(key, hash);
    return hash;
  };
}

import { type HashReader, type NodeId, tileOfNode, tilePath, tileReader } from '@annals/tlog';
import type { Tx } from '../database/database.ts';
import { readTiles } from './read-tiles.ts';

/** The tree that the tenant's log was in one epoch, when it had so many entries. */
export interface TreeOfLog {
  readonly epoch: number;
  /** At most the log's size. */
  readonly size: number;
}

/**
 * A reader of these nodes of the tree, for tlog's proofs (`nodesOfProof` names them); the tree can be smaller than
 * the log is by now.
 *
 * Errors  of the reader: TlogError `missing_tile` where the log does not have, or has lost, what a node needs.
 */
export async function logReader(
  tx: Tx,
  { epoch, size }: TreeOfLog,
  nodes: Iterable<NodeId>,
): Promise<HashReader> {
  const tiles = new Map(
    Array.from(nodes, (node) => {
      const tile = tileOfNode(node, size);
      return [tilePath(tile), tile];
    }),
  );
  return tileReader(size, await readTiles(tx, { epoch }, [...tiles.values()]));
}

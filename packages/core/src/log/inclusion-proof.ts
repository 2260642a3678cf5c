import { inclusionRanges, nodesOfProof, readProof } from '@annals/tlog';
import type { Tx } from '../database/database.ts';
import { logReader, type TreeOfLog } from './log-reader.ts';

/**
 * The hashes that prove the entry at `index` to be in a tree of the tenant's log, the leaf's sibling first.
 *
 * Errors  TlogError `bad_argument` for an index that the tree does not have, `missing_tile` for a size that the
 *         log does not have.
 */
export async function inclusionProof(
  tx: Tx,
  { index, ...tree }: TreeOfLog & { readonly index: number },
): Promise<Uint8Array[]> {
  const ranges = inclusionRanges(index, tree.size);
  return readProof(ranges, await logReader(tx, tree, nodesOfProof(ranges)));
}

import { consistencyRanges, nodesOfProof, readProof } from '@annals/tlog';
import type { Tx } from '../database/database.ts';
import { logReader, type TreeOfLog } from './log-reader.ts';

/**
 * The hashes that prove the tree of the first `from` entries to be a prefix of a tree of the tenant's log.
 *
 * Errors  TlogError `bad_argument` for a `from` that is 0 or larger than the tree, `missing_tile` for a size that
 *         the log does not have.
 */
export async function consistencyProof(
  tx: Tx,
  { from, ...tree }: TreeOfLog & { readonly from: number },
): Promise<Uint8Array[]> {
  const ranges = consistencyRanges(from, tree.size);
  return readProof(ranges, await logReader(tx, tree, nodesOfProof(ranges)));
}

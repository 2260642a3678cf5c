import { rootOfEdge, TlogError, type TreeHead, verifyConsistency } from '@annals/tlog';
import type { Tx } from '../database/database.ts';
import { consistencyProof } from '../log/consistency-proof.ts';
import type { Log } from '../log/newest-log.ts';
import { SigningRefused } from './signing-refused.ts';

/**
 * Check that a log extends a tree that was signed: its proof is computed from the tiles that are stored.
 *
 * Returns the proof, empty between equal sizes.
 * Errors  `SigningRefused` for a log that lost entries, and for one that holds others.
 */
export async function checkGrowth(tx: Tx, log: Log, signed: TreeHead): Promise<Uint8Array[]> {
  if (log.size < signed.size) {
    throw new SigningRefused(
      `${signed.size} entries were signed, but the database holds ${log.size}: it was restored to an earlier state, or cut off`,
    );
  }
  return refuseOtherTrees(signed, async () => {
    const to = { size: log.size, root: log.root };
    const proof =
      log.size === signed.size
        ? []
        : await consistencyProof(tx, { epoch: log.epoch, size: log.size, from: signed.size });
    verifyConsistency({ from: signed, to, proof });
    return proof;
  });
}

/** Errors  `SigningRefused` for a log whose root is not that of its edge. */
export function checkEdge({ root, edge }: Log): void {
  try {
    if (Buffer.compare(rootOfEdge(edge), root) === 0) return;
  } catch (error) {
    throw new SigningRefused('the edge of the log is damaged', { cause: error });
  }
  throw new SigningRefused('the edge of the log leads to another root');
}

async function refuseOtherTrees<T>(signed: TreeHead, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new SigningRefused(
      `the database holds another log than the ${signed.size} entries that were signed: ${error.message}`,
      { cause: error },
    );
  }
}

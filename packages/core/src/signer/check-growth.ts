import { rootOfEdge, TlogError, type TreeHead, verifyConsistency } from '@annals/tlog';
import type { Tx } from '../database/database.ts';
import { consistencyProof } from '../log/consistency-proof.ts';
import type { Log } from '../log/newest-log.ts';
import { SigningRefused } from './signing-refused.ts';

/**
 * Check that a log extends a tree that was signed: the proof is computed from the tiles that are stored.
 *
 * Errors  `SigningRefused` for a log that lost entries, and for one that holds others.
 */
export async function checkGrowth(tx: Tx, log: Log, signed: TreeHead): Promise<void> {
  const { epoch, size, root } = log;
  if (size < signed.size) {
    throw new SigningRefused(
      `${signed.size} entries were signed, but the database holds ${size}: it was restored to an earlier state, or cut off`,
    );
  }
  try {
    const proof = size === signed.size ? [] : await consistencyProof(tx, { epoch, size, from: signed.size });
    verifyConsistency({ from: signed, to: { size, root }, proof });
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new SigningRefused(
      `the database holds another log than the ${signed.size} entries that were signed: ${error.message}`,
      { cause: error },
    );
  }
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

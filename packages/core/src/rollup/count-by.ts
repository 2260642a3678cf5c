import type { Tx } from '../database/database.ts';
import { countByRollup } from './count-by-rollup.ts';
import { type Counts, countByScan, type ScanBounds } from './count-by-scan.ts';
import type { CountRequest } from './count-request.ts';

/**
 * Count what a request asks for: exactly from the rollups where these can tell, else by a bounded scan of the
 * activities.
 *
 * Takes   a transaction whose statements see one snapshot, in the time zone in which intervals begin.
 */
export async function countBy(tx: Tx, request: CountRequest, bounds?: ScanBounds): Promise<Counts> {
  const rows = await countByRollup(tx, request);
  return rows ? { rows } : countByScan(tx, request, bounds);
}

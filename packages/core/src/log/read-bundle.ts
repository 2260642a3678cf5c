import { type Bundle, encodeBundle, rebuildEntry, tileWidth } from '@annals/tlog';
import type { Tx } from '../database/database.ts';
import { openingOf, toLoggedRecord } from './logged-row.ts';
import { readRows } from './read-rows.ts';

/**
 * A bundle of entries of the tenant's log in one epoch, computed from its records; undefined where the log has no
 * such bundle, and once one of its records is purged.
 *
 * Errors  TlogError for a record that is not the one that its opening belongs to.
 */
export async function readBundle(
  tx: Tx,
  { epoch, index, width }: Bundle & { readonly epoch: number },
): Promise<Uint8Array | undefined> {
  const start = index * tileWidth;
  const rows = await readRows(tx, { epoch, start, end: start + width });
  if (rows.length !== width) return undefined;
  const entries = rows.map((row) => {
    const opening = openingOf(row);
    return opening && rebuildEntry(toLoggedRecord(row), opening).bytes;
  });
  return entries.every((entry) => entry !== undefined) ? encodeBundle(entries) : undefined;
}

import { type Bundle, encodeBundle, rebuildEntry, tileWidth } from '@annals/tlog';
import { sql } from 'kysely';
import { epochMs } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import { type LoggedRow, loggedColumns, openingOf, toLoggedRecord } from './logged-row.ts';

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
  const end = start + width;
  const batches = await findBatches(tx, { epoch, start, end });
  const rows = batches.length === 0 ? [] : await findRows(tx, { batches, start, end });
  if (rows.length !== width) return undefined;
  const entries = rows.map((row) => {
    const opening = openingOf(row);
    return opening && rebuildEntry(toLoggedRecord(row), opening).bytes;
  });
  return entries.every((entry) => entry !== undefined) ? encodeBundle(entries) : undefined;
}

interface BatchPlace {
  readonly id: string;
  readonly firstIndex: number;
  /** Bounds of its activities' times, in milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The batches that share an entry with a range: those that begin within it, and the last one before. */
function findBatches(tx: Tx, { epoch, start, end }: Range & { epoch: number }): Promise<BatchPlace[]> {
  return tx.query(sql<BatchPlace>`
    select id, first_index::float8 as "firstIndex",
      ${epochMs(sql.ref('first_occurred_at'))} as "firstMs", ${epochMs(sql.ref('last_occurred_at'))} as "lastMs"
    from annals.batch
    where tenant_id = ${tx.tenantId} and epoch = ${epoch} and first_index < ${end} and first_index >= coalesce(
      (select max(first_index) from annals.batch
        where tenant_id = ${tx.tenantId} and epoch = ${epoch} and first_index <= ${start}), 0)
    order by first_index`);
}

/** Their rows in the order of the log. The range of times lets the planner leave out partitions. */
function findRows(
  tx: Tx,
  { batches, start, end }: Range & { batches: readonly BatchPlace[] },
): Promise<LoggedRow[]> {
  const first = new Date(Math.min(...batches.map(({ firstMs }) => firstMs)));
  const last = new Date(Math.max(...batches.map(({ lastMs }) => lastMs)));
  return tx.query(sql<LoggedRow>`
    select ${loggedColumns}
    from unnest(
      ${batches.map(({ id }) => id)}::uuid[], ${batches.map(({ firstIndex }) => firstIndex)}::bigint[]
    ) as placed (wanted_id, wanted_index)
    join annals.activity on tenant_id = ${tx.tenantId} and batch_id = wanted_id
    where occurred_at between ${first.toISOString()} and ${last.toISOString()}
      and wanted_index + position between ${start} and ${end - 1}
    order by wanted_index + position`);
}

import { sql } from 'kysely';
import { epochMs } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import { type LoggedRow, loggedColumns } from './logged-row.ts';

/** Indexes of the tenant's log in one epoch, `end` not included. */
export interface LogRange {
  readonly epoch: number;
  readonly start: number;
  readonly end: number;
}

/** A row with its place in the log. */
export interface PlacedRow extends LoggedRow {
  readonly log_index: number;
}

/** The rows of a range that are still there, in the order of the log. */
export async function readRows(tx: Tx, range: LogRange): Promise<PlacedRow[]> {
  const batches = await findBatches(tx, range);
  return batches.length === 0 ? [] : findRows(tx, batches, range);
}

export interface BatchPlace {
  readonly id: string;
  readonly firstIndex: number;
  /** Bounds of its activities' times, in milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The batches that share an entry with a range: those that begin within it, and the last one before. */
export function findBatches(tx: Tx, { epoch, start, end }: LogRange): Promise<BatchPlace[]> {
  return tx.query(sql<BatchPlace>`
    select id, first_index::float8 as "firstIndex",
      ${epochMs(sql.ref('first_occurred_at'))} as "firstMs", ${epochMs(sql.ref('last_occurred_at'))} as "lastMs"
    from annals.batch
    where tenant_id = ${tx.tenantId} and epoch = ${epoch} and first_index < ${end} and first_index >= coalesce(
      (select max(first_index) from annals.batch
        where tenant_id = ${tx.tenantId} and epoch = ${epoch} and first_index <= ${start}), 0)
    order by first_index`);
}

/** The range of times lets the planner leave out partitions. */
function findRows(tx: Tx, batches: readonly BatchPlace[], { start, end }: LogRange): Promise<PlacedRow[]> {
  const first = new Date(Math.min(...batches.map(({ firstMs }) => firstMs)));
  const last = new Date(Math.max(...batches.map(({ lastMs }) => lastMs)));
  return tx.query(sql<PlacedRow>`
    select ${loggedColumns}, (wanted_index + position)::float8 as log_index
    from unnest(
      ${batches.map(({ id }) => id)}::uuid[], ${batches.map(({ firstIndex }) => firstIndex)}::bigint[]
    ) as placed (wanted_id, wanted_index)
    join annals.activity on tenant_id = ${tx.tenantId} and batch_id = wanted_id
    where occurred_at between ${first.toISOString()} and ${last.toISOString()}
      and wanted_index + position between ${start} and ${end - 1}
    order by wanted_index + position`);
}

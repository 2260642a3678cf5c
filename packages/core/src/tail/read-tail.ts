import { type RawBuilder, sql } from 'kysely';
import { type ActivityRow, rowColumns } from '../activity/row.ts';
import type { Condition } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { type BatchPlace, findBatches, type LogRange } from '../log/read-rows.ts';

/** A row with its place in the log, and which of the conditions selected it. */
export interface TailRow extends ActivityRow {
  readonly log_index: number;
  readonly selected: readonly boolean[];
}

export interface ReadTail {
  readonly range: LogRange;
  /** As `whereActivity` makes them. */
  readonly conditions: readonly Condition[];
  readonly rowsMax: number;
}

/**
 * The first rows of a range of the tenant's log that one of several conditions selects, in the order of the log.
 *
 * The database decides what a condition selects, as it does for lists: nothing else knows its collations, and the
 * text of its JSON.
 */
export async function readTail(tx: Tx, { range, conditions, rowsMax }: ReadTail): Promise<TailRow[]> {
  const batches = await findBatches(tx, range);
  if (batches.length === 0) return [];
  const { start, end } = range;
  return tx.query(sql<TailRow>`
    select found.*, (wanted_index + position)::float8 as log_index
    from unnest(
      ${batches.map(({ id }) => id)}::uuid[], ${batches.map(({ firstIndex }) => firstIndex)}::bigint[]
    ) as placed (wanted_id, wanted_index)
    cross join lateral (
      select ${rowColumns}, position, array[${sql.join(conditions.map(isTrue))}] as selected
      from annals.activity
      where tenant_id = ${tx.tenantId} and batch_id = wanted_id and ${within(batches)}
        and wanted_index + position between ${start} and ${end - 1}
      -- Neither joined by another way than the index of batches, nor the conditions asked twice.
      offset 0
    ) as found
    where true = any(selected)
    order by wanted_index + position limit ${rowsMax}`);
}

function isTrue(condition: Condition): RawBuilder<boolean> {
  return sql`${condition} is true`;
}

/** The range of times lets the planner leave out partitions. */
function within(batches: readonly BatchPlace[]): Condition {
  const first = new Date(Math.min(...batches.map(({ firstMs }) => firstMs)));
  const last = new Date(Math.max(...batches.map(({ lastMs }) => lastMs)));
  return sql`occurred_at between ${first.toISOString()} and ${last.toISOString()}`;
}

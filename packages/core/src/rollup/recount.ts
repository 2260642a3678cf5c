import { sql } from 'kysely';
import { fieldColumn } from '../activity/columns.ts';
import type { Tx } from '../database/database.ts';
import { isBefore, lockFollower } from '../log/follower-place.ts';
import { addCounts } from './add-counts.ts';
import { rollupFollower } from './count-batches.ts';
import { countedDimensions } from './cubes.ts';

/** What of a row the counts need; its other columns are left alone. */
export interface CountedRow {
  readonly [column: string]: unknown;
  readonly batch_id: string;
  readonly occurred_ms: number;
}

/** One activity as it was counted, and as it is now; without `after` it has gone. */
export interface RowChange {
  readonly before: CountedRow;
  readonly after?: CountedRow | undefined;
}

/**
 * Count activities as they are after this transaction has changed or removed them, if they were counted before.
 *
 * Order  called last in a transaction, with what was changed in hand: the rows are locked already, and whoever counts
 *        waits for none of them. A transaction that locks the table itself must take `lockRollups` before.
 */
export async function recount(tx: Tx, changes: readonly RowChange[]): Promise<void> {
  const moved = changes.filter(({ before, after }) => !after || isCountedElsewhere(before, after));
  if (moved.length === 0) return;
  const place = await lockRollups(tx);
  const rows = moved.flatMap(({ before, after }) => [
    toCounted(before, -1),
    ...(after ? [toCounted(after, 1)] : []),
  ]);
  const batches = [...new Set(moved.map(({ before }) => before.batch_id))];
  await addCounts(
    tx,
    sql`
      select changed.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as changed (
        batch_id uuid, occurred_at timestamptz, n int, ${sql.join(columns.map((column) => sql`${sql.ref(column)} text`))})
      where batch_id in (
        select id from annals.batch
        where tenant_id = ${tx.tenantId} and id = any(${batches}::uuid[]) and ${isBefore(place)})`,
  );
}

/** Keep others from counting the tenant's activities until the transaction ends; says how far they are counted. */
export function lockRollups(tx: Tx): ReturnType<typeof lockFollower> {
  return lockFollower(tx, rollupFollower.name);
}

const columns = countedDimensions.map((name) => fieldColumn(name).column);

function isCountedElsewhere(before: CountedRow, after: CountedRow): boolean {
  return columns.some((column) => before[column] !== after[column]);
}

function toCounted(row: CountedRow, n: 1 | -1): object {
  return {
    ...Object.fromEntries(columns.map((column) => [column, row[column]])),
    batch_id: row.batch_id,
    occurred_at: new Date(row.occurred_ms).toISOString(),
    n,
  };
}

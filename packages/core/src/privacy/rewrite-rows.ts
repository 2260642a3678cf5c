import { sql } from 'kysely';
import type { ActivityRow } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import { type Erasure, erasableColumns } from './erasure.ts';
import { moment } from './examine.ts';

/**
 * Write erasures over records that this transaction holds locked, as the custodian.
 *
 * JSON that an erasure does not touch is not written, so that it stays as it is to the last digit.
 */
export async function rewriteRows(
  tx: Tx,
  changes: readonly { readonly row: ActivityRow; readonly erasure: Erasure }[],
): Promise<void> {
  if (changes.length === 0) return;
  const times = changes.map(({ row }) => row.occurred_ms);
  const columns = erasableColumns.map(({ column }) => sql.ref(column));
  await tx.query(sql`
    update annals.activity as a set
      ${sql.join(columns.map((column) => sql`${column} = r.${column}`))},
      tags = r.tags, erased = r.erased,
      metadata = case when r.keeps_metadata then a.metadata else r.metadata end,
      details = case when r.keeps_details then a.details else r.details end
    from jsonb_to_recordset(${JSON.stringify(changes.map(toRecord))}::jsonb) as r (
      occurred_at timestamptz, id uuid, ${sql.join(columns.map((column) => sql`${column} text`))},
      tags text[], erased text[], keeps_metadata boolean, metadata jsonb, keeps_details boolean, details jsonb)
    where a.tenant_id = ${tx.tenantId} and a.occurred_at = r.occurred_at and a.id = r.id
      and a.occurred_at between ${moment(Math.min(...times))} and ${moment(Math.max(...times))}`);
}

function toRecord({ row, erasure: { values } }: { row: ActivityRow; erasure: Erasure }): object {
  const valueOf = (column: string) => (column in values ? values[column] : row[column]);
  return {
    ...Object.fromEntries(erasableColumns.map(({ column }) => [column, valueOf(column)])),
    occurred_at: new Date(row.occurred_ms).toISOString(),
    id: row['id'],
    tags: valueOf('tags'),
    erased: values.erased,
    keeps_metadata: values.metadata === undefined,
    metadata: values.metadata ?? null,
    keeps_details: values.details === undefined,
    details: values.details ?? null,
  };
}

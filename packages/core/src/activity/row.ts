import { type Activity, type JsonObject, mask } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { fieldColumns } from './columns.ts';

/** A row as `rowColumns` selects it. */
export type ActivityRow = {
  readonly [column: string]: unknown;
  readonly tenant_id: string;
  readonly occurred_ms: number;
  readonly recorded_ms: number;
  readonly tags: string[];
  readonly metadata: JsonObject;
  readonly details: JsonObject | null;
  readonly erased: string[] | null;
};

/**
 * Milliseconds since 1970 of a `timestamptz`: exact, and the same under any time zone of the session, while
 * the connection hands the type itself over as text.
 */
export function epochMs(moment: RawBuilder<unknown>): RawBuilder<number | null> {
  return sql`(extract(epoch from ${moment}) * 1000)::float8`;
}

/** What to select for `toActivity`. */
export const rowColumns: RawBuilder<unknown> = sql.join([
  sql.ref('tenant_id'),
  sql`${epochMs(sql.ref('occurred_at'))} as occurred_ms`,
  sql`${epochMs(sql.ref('recorded_at'))} as recorded_ms`,
  ...fieldColumns.map(({ column }) => sql.ref(column)),
  ...['tags', 'metadata', 'details', 'erased'].map((column) => sql.ref(column)),
]);

/** The record of a row. Without `personal`, personal fields that have a value come as the mask. */
export function toActivity(row: ActivityRow, { personal }: { readonly personal: boolean }): Activity {
  const record: Record<string, unknown> = {
    id: row['id'],
    tenantId: row.tenant_id,
    occurredAt: new Date(row.occurred_ms),
    recordedAt: new Date(row.recorded_ms),
  };
  for (const field of fieldColumns) {
    const value = row[field.column];
    if (value === null) continue;
    put(record, field.path, field.personal && !personal ? mask : value);
  }
  record['tags'] = row.tags;
  record['metadata'] = row.metadata;
  if (row.details !== null) record['details'] = row.details;
  if (row.erased !== null && row.erased.length > 0) record['erased'] = row.erased;
  // The columns are those of the contract's fields, one by one, so the whole is its record.
  return record as Activity;
}

function put(record: Record<string, unknown>, [key, inner]: readonly [string, string?], value: unknown) {
  if (inner === undefined) {
    record[key] = value;
    return;
  }
  const part = (record[key] ??= {}) as Record<string, unknown>;
  part[inner] = value;
}

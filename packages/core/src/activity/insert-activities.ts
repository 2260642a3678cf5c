import { saltBytes } from '@annals/tlog';
import { type RawBuilder, sql } from 'kysely';
import { type FieldColumn, fieldColumns, valueAt } from './columns.ts';
import type { NewBatch } from './new-batch.ts';
import type { NewActivity } from './prepare.ts';

/** Insert those whose ids are free, and return these: one bound array a column, whatever the number of rows. */
export function insertActivities(batch: NewBatch): RawBuilder<{ id: string }> {
  const { tenantId, activities } = batch;
  const columns = sql.join(fieldColumns.map(({ column }) => sql.ref(column)));
  const array = (value: (activity: NewActivity) => string | undefined, type: string) =>
    sql`${activities.map((each) => value(each) ?? null)}::${sql.raw(type)}[]`;
  const ofField = ({ path, type }: FieldColumn) => array((each) => valueAt(each, path), type);
  return sql`
    insert into annals.activity
      (tenant_id, batch_id, recorded_at, own, seed, position, occurred_at, ${columns}, tags, metadata, details)
    select ${tenantId}, ${batch.id}, ${batch.recordedAt.toISOString()}::timestamptz, ${batch.own},
      substring(${batch.seeds}::bytea from ((n - 1) * ${saltBytes} + 1)::int for ${saltBytes}), n - 1,
      occurred_at, ${columns}, tags::text[], metadata, details
    from unnest(
      ${array(({ occurredAt }) => occurredAt.toISOString(), 'timestamptz')},
      ${sql.join(fieldColumns.map(ofField))},
      ${array(({ tags }) => arrayLiteral(tags), 'text')},
      ${array(({ metadata }) => JSON.stringify(metadata), 'jsonb')},
      ${array(({ details }) => details && JSON.stringify(details), 'jsonb')}
    ) with ordinality as incoming (occurred_at, ${columns}, tags, metadata, details, n)
    on conflict do nothing
    returning id`;
}

/** `unnest` flattens arrays of arrays, so that each row's tags travel as the text of one. */
function arrayLiteral(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}

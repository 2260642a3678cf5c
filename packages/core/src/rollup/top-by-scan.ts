import type { FacetField, Filter } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { fieldText } from '../activity/columns.ts';
import { epochMs } from '../activity/row.ts';
import { type Condition, every } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { type ScanBounds, scanBounds } from './count-by-scan.ts';
import { newestOf } from './newest-of.ts';
import { withinTime } from './within-time.ts';

export interface TopRequest {
  /** The activities, and the range of time that they lie in. */
  readonly where: Condition;
  readonly range: Pick<Filter, 'from' | 'to'>;
  readonly fields: readonly FacetField[];
  /** Values of each field, at most. */
  readonly limit: number;
}

export interface ValueCount {
  readonly value: string;
  readonly count: number;
}

export interface TopValues {
  /** How many activities were counted. */
  readonly total: number;
  /** Largest counts first, equal ones by value. */
  readonly values: ReadonlyMap<FacetField, readonly ValueCount[]>;
  /** As in `Counts`. */
  readonly sinceMs?: number | undefined;
}

/** The top values of fields in the activities that a condition selects, all in one bounded scan; see `countByScan`. */
export async function topByScan(
  tx: Tx,
  request: TopRequest,
  bounds: ScanBounds = scanBounds,
): Promise<TopValues> {
  const { activitiesMax, timeMs, newestMax } = bounds;
  const selected = await withinTime(tx, timeMs, () => topOf(tx, request, activitiesMax));
  if (selected) return selected;
  const newest = await newestOf(tx, request.range, newestMax);
  const where = every([request.where, newest.where]);
  return { ...(await topOf(tx, { ...request, where }, activitiesMax)), sinceMs: newest.sinceMs };
}

interface TopRow {
  /** Null in the row that tells of the whole scan. */
  readonly field: FacetField | null;
  readonly value: string;
  readonly count: number;
  readonly oldest_ms: number | null;
}

async function topOf(
  tx: Tx,
  { where, fields, limit }: TopRequest,
  activitiesMax: number,
): Promise<TopValues> {
  const columns = fields.map((field, at) => sql`${columnOf(field)} as ${sql.ref(`f${at}`)}`);
  const tops = fields.map((field, at) => topOfField(field, { column: sql.ref(`f${at}`), limit }));
  const rows = await tx.query(sql<TopRow>`
    with found as materialized (
      select ${sql.join([sql.ref('occurred_at'), ...columns])} from annals.activity where ${where}
      order by occurred_at desc, id desc limit ${activitiesMax + 1}
    )
    select null as field, null as value, count(*)::float8 as count, ${epochMs(sql`min(occurred_at)`)} as oldest_ms
    from found
    union all ${sql.join(tops, sql` union all `)}`);
  const whole = rows.find(({ field }) => field === null);
  const total = whole?.count ?? 0;
  const oldestMs = whole?.oldest_ms ?? undefined;
  const values = new Map(
    fields.map((name) => [
      name,
      rows.filter(({ field }) => field === name).map(({ value, count }) => ({ value, count })),
    ]),
  );
  return { total, values, sinceMs: total > activitiesMax ? oldestMs : undefined };
}

function columnOf(field: FacetField): RawBuilder<unknown> {
  return field === 'tag' ? sql.ref('tags') : fieldText(field);
}

interface FoundColumn {
  readonly column: RawBuilder<unknown>;
  readonly limit: number;
}

function topOfField(field: FacetField, { column, limit }: FoundColumn): RawBuilder<unknown> {
  const value = field === 'tag' ? sql`unnest(${column})` : column;
  return sql`
    (select ${field}::text, value, count(*)::float8 as count, null::float8
    from (select ${value} as value from found) as values_found
    where value is not null group by value order by count desc, value limit ${limit})`;
}

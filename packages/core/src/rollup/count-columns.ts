import { type RawBuilder, sql } from 'kysely';
import { fieldText } from '../activity/columns.ts';
import { epochMs } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import type { CountRequest, CountRow } from './count-request.ts';

type Shape = Pick<CountRequest, 'groupBy' | 'interval'>;

/** The names of a request's groups: g0, g1, ... */
export function groupNames({ groupBy }: Pick<Shape, 'groupBy'>): RawBuilder<unknown>[] {
  return groupBy.map((_, index) => sql.ref(`g${index}`));
}

/** What to select of an activity: `from_ms` and the groups. */
export function countColumns({ groupBy, interval }: Shape): RawBuilder<unknown> {
  return sql.join([
    sql`${interval ? epochMs(sql`date_trunc(${interval}, occurred_at)`) : sql`null::float8`} as from_ms`,
    ...groupBy.map((name, index) => sql`${fieldText(name)} as ${sql.ref(`g${index}`)}`),
  ]);
}

interface Columns {
  readonly from_ms: (number | null)[] | null;
  readonly count: number[] | null;
  readonly [group: `g${number}`]: (string | null)[] | null;
}

/**
 * The rows of a request from partial counts `n` of `from_ms` and the groups; one row, also of nothing, without either.
 *
 * Grouped apart from the order, so that nothing is sorted to be grouped. They travel as one row of columns: a driver
 * takes longer over thousands of rows than the database takes to count them.
 */
export async function sumCounts(
  tx: Tx,
  request: CountRequest,
  parts: RawBuilder<unknown>,
): Promise<CountRow[]> {
  const groups = groupNames(request);
  const keys = [...(request.interval ? [sql.ref('from_ms')] : []), ...groups];
  const from = request.interval ? sql.ref('from_ms') : sql`null::float8 as from_ms`;
  const present = request.presentOnly ? sql`where g0 is not null` : sql``;
  const names = [sql.ref('from_ms'), ...groups, sql.ref('count')];
  const [columns] = await tx.query(sql<Columns>`
    select ${sql.join(names.map((name) => sql`json_agg(${name}) as ${name}`))}
    from (
      select * from (
        select ${sql.join([from, ...groups])}, coalesce(sum(n), 0)::float8 as count
        from (${parts}) as parts ${present}
        ${keys.length > 0 ? sql`group by ${sql.join(keys)} having sum(n) <> 0` : sql``}
        offset 0
      ) as counts
      order by ${orderOf(request)} limit ${request.limit}
    ) as ordered`);
  return toRows(request, columns);
}

function toRows({ groupBy }: CountRequest, columns: Columns | undefined): CountRow[] {
  const names = groupBy.map((_, at): `g${number}` => `g${at}`);
  return (columns?.count ?? []).map((count, at) => ({
    from_ms: columns?.from_ms?.[at] ?? null,
    count,
    ...Object.fromEntries(names.map((name) => [name, columns?.[name]?.[at] ?? null])),
  }));
}

/** In the order of `CountRow`. */
export function orderOf(request: Shape): RawBuilder<unknown> {
  return sql.join([
    ...(request.interval ? [sql.ref('from_ms')] : []),
    sql`count desc`,
    ...groupNames(request),
  ]);
}

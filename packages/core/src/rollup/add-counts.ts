import { type RawBuilder, sql } from 'kysely';
import { fieldColumn } from '../activity/columns.ts';
import type { Tx } from '../database/database.ts';
import { closeFullDays } from './close-full-days.ts';
import { type Cube, countedDimensions, cubes } from './cubes.ts';
import { removeEmptied, type TouchedDay } from './remove-emptied.ts';

/**
 * Add activities to the counts, or take them out: for who holds the follower of the rollups locked.
 *
 * Takes   rows of `occurred_at`, the columns of `countedColumns` as text, and `n`: 1 for an activity that comes, -1
 *         for one that goes.
 * Returns nothing of a cell whose counts have become zero is left: neither a row, nor its values.
 */
export async function addCounts(tx: Tx, rows: RawBuilder<unknown>): Promise<void> {
  // All groups of a bite at once, none of them on disk.
  await tx.query(sql`select set_config('work_mem', '32MB', true)`);
  const touched = await tx.query(sql<TouchedDay>`
    with ${groupedRows(tx, rows)}, ${openRows}, ${cellsOf(tx)}, ${deltas}, ${written(tx)}
    select cube, day::text as day, coalesce(array_agg(cell) filter (where emptied), '{}') as emptied, false as full
    from written where emptied or cube = any(${limited.map(({ name }) => name)}::text[]) group by cube, day
    union all
    select cube, day::text, '{}', true from overfull`);
  await removeEmptied(tx, touched);
  await closeFullDays(tx, touched);
}

type LimitedCube = Cube & { readonly cellsPerDayMax: number };

const limited = cubes.filter((cube): cube is LimitedCube => cube.cellsPerDayMax !== undefined);
const unlimited = cubes.filter(({ cellsPerDayMax }) => cellsPerDayMax === undefined);

/** The columns that are counted by, as text. */
export const countedColumns: RawBuilder<unknown> = sql.join(
  countedDimensions.map((name) => {
    const { column } = fieldColumn(name);
    return sql`${sql.ref(column)}::text as ${sql.ref(column)}`;
  }),
);

const columnOf = (name: Cube['dimensions'][number]) => sql.ref(fieldColumn(name).column);
const columnsOf = (cube: Cube) => sql.join(cube.dimensions.map(columnOf));

/** `grouped`: the rows' sums of `n` by cube, values, day and quarter; not of days on which a cube was given up. */
export function groupedRows(tx: Tx, rows: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    quarters as materialized (
      select *, (occurred_at at time zone 'UTC')::date as day,
        (floor(date_part('epoch', occurred_at) / 900)::bigint % 96)::smallint as slot
      from (${rows}) as counted
    ),
    grouped as materialized (${sql.join([groupedByOne, ...limited.map((cube) => groupedByAll(tx, cube))], sql` union all `)})`;
}

/** One pass over the rows for many cubes: each is a grouping set, which its mask tells. */
const groupedByOne: RawBuilder<unknown> = (() => {
  const mask = sql`grouping(${sql.join(countedDimensions.map(columnOf))})`;
  const byCube = (write: (cube: Cube) => RawBuilder<unknown>) =>
    sql`case ${mask} ${sql.join(
      unlimited.map((cube) => sql`when ${sql.lit(maskOf(cube))} then ${write(cube)}`),
      sql` `,
    )} end`;
  return sql`
    select ${byCube(({ name }) => sql.lit(name))} as cube,
      ${byCube((cube) => sql`array[${columnsOf(cube)}]`)} as "values", day, slot, sum(n)::int as n
    from quarters
    group by grouping sets (${sql.join(unlimited.map((cube) => sql`(day, slot, ${columnsOf(cube)})`))})
    having sum(n) <> 0`;
})();

/** As PostgreSQL's `grouping`: a bit for each column that is not in the set, the last column's the lowest. */
function maskOf(cube: Cube): number {
  return countedDimensions.reduce((mask, name) => mask * 2 + (cube.dimensions.includes(name) ? 0 : 1), 0);
}

function groupedByAll(tx: Tx, cube: LimitedCube): RawBuilder<unknown> {
  return sql`
    select ${cube.name}, array[${columnsOf(cube)}], day, slot, sum(n)::int
    from quarters
    where day not in (
      select day from annals.rollup where tenant_id = ${tx.tenantId} and cube = ${cube.name} and cell = 0
        and day = any(array(select distinct day from quarters)))
    group by day, slot, ${columnsOf(cube)} having sum(n) <> 0`;
}

/** Without the days on which a cube is given up now, since these rows alone have too many values. */
const openRows: RawBuilder<unknown> = sql`
  overfull as materialized (
    select cube, day from grouped
    where cube in (${sql.join(limited.map(({ name }) => sql.lit(name)))})
    group by cube, day
    -- Of hashes, since whole lists of values would be sorted to be told apart.
    having count(distinct hash_array_extended("values", 0)) > case cube ${sql.join(
      limited.map(({ name, cellsPerDayMax }) => sql`when ${sql.lit(name)} then ${sql.lit(cellsPerDayMax)}`),
      sql` `,
    )} end
  ),
  open as materialized (
    select * from grouped
    where not exists (select from overfull where overfull.cube = grouped.cube and overfull.day = grouped.day)
  )`;

/** The cells of these values; those that are new get the next ids. */
function cellsOf(tx: Tx): RawBuilder<unknown> {
  return sql`
    wanted as materialized (select distinct cube, "values" from open),
    known as materialized (
      select c.id, c.cube, c."values" from wanted
      join annals.rollup_cell c
        on c.tenant_id = ${tx.tenantId} and c.cube = wanted.cube and c."values" = wanted."values"
    ),
    created as (
      insert into annals.rollup_cell (tenant_id, id, cube, "values")
      select ${tx.tenantId}, row_number() over () + coalesce(
          (select max(id) from annals.rollup_cell where tenant_id = ${tx.tenantId}), 0), cube, "values"
      from wanted where not exists (
        select from known where known.cube = wanted.cube and known."values" = wanted."values")
      returning id, cube, "values"
    )`;
}

/** What comes to each cell of a day, as it would stand there alone. */
const deltas = sql`
  delta as (
    select min(cube) as cube, day, id as cell,
      array_agg(slot order by slot) as slots, array_agg(count order by slot) as counts
    from (
      select open.cube, open.day, cells.id, slot,
        (sum(n) over (partition by cells.id, open.day order by slot))::int as count
      from open
      join (select * from known union all select * from created) as cells
        on cells.cube = open.cube and cells."values" = open."values"
    ) as summed
    group by id, day
  )`;

/** Both running totals at each quarter of either; a quarter at which the total does not change is no quarter. */
function written(tx: Tx): RawBuilder<unknown> {
  return sql`
    written as (
      insert into annals.rollup as r (tenant_id, cube, day, cell, slots, counts)
      select ${tx.tenantId}, cube, day, cell, slots, counts from delta
      on conflict (tenant_id, cube, day, cell) do update set (slots, counts) = (
        select coalesce(array_agg(slot order by slot), '{}'), coalesce(array_agg(total order by slot), '{}')
        from (
          select slot, total, lag(total, 1, 0) over (order by slot) as before
          from (
            select slot, coalesce(r.counts[width_bucket(slot, r.slots)], 0)
              + coalesce(excluded.counts[width_bucket(slot, excluded.slots)], 0) as total
            from (select distinct unnest(r.slots || excluded.slots) as slot) as either
          ) as totals
        ) as steps
        where total <> before)
      returning cube, day, cell, slots = '{}' as emptied
    )`;
}

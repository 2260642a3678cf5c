import type { Dimension } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { fieldColumn } from '../activity/columns.ts';
import { whereActivity } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { moment } from '../privacy/examine.ts';
import { countColumns, groupNames, sumCounts } from './count-columns.ts';
import type { CountRequest, CountRow } from './count-request.ts';
import { type Cube, cubeOf, dimensionsOf } from './cubes.ts';
import { findCoverage, quartersADay, type Span, type UncountedBatch } from './find-coverage.ts';
import { type Segment, splitParts } from './split-parts.ts';

/**
 * Count from the rollups, exactly as the activities themselves would be counted; undefined where no cube tells apart
 * what the request asks for, or too little is counted yet.
 *
 * Takes   a transaction whose statements see one snapshot.
 */
export async function countByRollup(tx: Tx, request: CountRequest): Promise<CountRow[] | undefined> {
  const { filter, groupBy, interval } = request;
  const selecting = dimensionsOf(filter);
  const cube = selecting && cubeOf(new Set([...selecting, ...groupBy]));
  if (!cube) return undefined;
  const coverage = await findCoverage(tx, cube, filter);
  if (!coverage) return undefined;
  const { segments, spans, uncounted } = await splitParts(tx, coverage, interval);
  if (spans.length > spansMax) return undefined;
  const cells = selectCells(tx, cube, request);
  const probe = selecting.size > 0 && (await areFew(tx, cells));
  const parts = [
    countedPart({ tx, cube, request, segments, cells, probe }),
    ...(spans.length > 0 ? [spanPart(request, spans)] : []),
    ...(uncounted.length > 0 ? [uncountedPart(request, uncounted, spans)] : []),
  ];
  return sumCounts(tx, request, sql.join(parts, sql` union all `));
}

/** Beyond, reading them one by one takes longer than reading them all. */
const spansMax = 1_000;

/** The cells that the filter selects, with the groups that they belong to. */
export function selectCells(tx: Tx, { name, dimensions }: Cube, request: CountRequest): RawBuilder<unknown> {
  const columns = dimensions.map((dimension, at) => {
    const { column, type } = fieldColumn(dimension);
    return sql`"values"[${sql.lit(at + 1)}]::${sql.raw(type)} as ${sql.ref(column)}`;
  });
  const { from: _from, to: _to, ...untimed } = request.filter;
  const groups = request.groupBy.map((each, at) => sql`${textOf(each)} as ${sql.ref(`g${at}`)}`);
  return sql`
    select ${sql.join([sql.ref('id'), ...groups])} from (
      select tenant_id, id, ${sql.join(columns)} from annals.rollup_cell
      where tenant_id = ${tx.tenantId} and cube = ${name}
    ) as cell where ${whereActivity(untimed, request.sight)}`;
}

const textOf = (name: Dimension) => sql`${sql.ref(fieldColumn(name).column)}::text`;

const fewCells = 64;

async function areFew(tx: Tx, cells: RawBuilder<unknown>): Promise<boolean> {
  const [row] = await tx.query(
    sql<{ count: number }>`select count(*)::int as count from (${cells} limit ${fewCells + 1}) as first_ones`,
  );
  return (row?.count ?? 0) <= fewCells;
}

interface CountedPart {
  readonly tx: Tx;
  readonly cube: Cube;
  readonly request: CountRequest;
  readonly segments: readonly Segment[];
  readonly cells: RawBuilder<unknown>;
  /** Look for each cell on each day, since they are few; else read each day's cells, and take the right ones. */
  readonly probe: boolean;
}

/** The planner knows nothing of the sizes here, so that the order of the joins is not left to it. */
function countedPart({ tx, cube, request, segments, cells, probe }: CountedPart): RawBuilder<unknown> {
  const segment = sql`unnest(${segments.map(({ day }) => day)}::date[],
    ${segments.map(({ since }) => since)}::smallint[], ${segments.map(({ until }) => until)}::smallint[],
    ${segments.map(({ fromMs }) => fromMs)}::float8[]) as segment (day, since, until, from_ms)`;
  const rows = (where: RawBuilder<unknown>) => sql`lateral (
      select r.cell, r.slots, r.counts from annals.rollup r
      where r.tenant_id = ${tx.tenantId} and r.cube = ${cube.name} and r.day = segment.day ${where} offset 0
    ) as r`;
  const columns = sql.join([sql.ref('from_ms'), ...groupNames(request)]);
  if (probe) {
    return sql`
      (with cells as materialized (${cells})
      select ${columns}, ${countedWithin} as n
      from cells cross join ${segment} cross join ${rows(sql`and r.cell = cells.id`)})`;
  }
  return sql`
    (with cells as materialized (${cells}), counted as materialized (
      select from_ms, r.cell, ${countedWithin} as n from ${segment} cross join ${rows(sql``)})
    select ${columns}, n from counted join cells on cells.id = counted.cell)`;
}

/** The running total at the end of the segment, without that before its begin. */
const countedWithin = sql`
  case when until = ${sql.lit(quartersADay)} then r.counts[cardinality(r.counts)]
    else coalesce(r.counts[width_bucket((until - 1)::smallint, r.slots)], 0) end
  - case when since = 0 then 0 else coalesce(r.counts[width_bucket((since - 1)::smallint, r.slots)], 0) end`;

/** The bounds of each span let the planner leave out partitions while it runs. */
function spanPart(request: CountRequest, spans: readonly Span[]): RawBuilder<unknown> {
  return sql`
    select ${sql.join([sql.ref('from_ms'), ...groupNames(request)])}, 1 as n
    from ${unnestSpans(spans)} cross join lateral (
      select ${countColumns(request)} from annals.activity
      where ${whereActivity(request.filter, request.sight)}
        and occurred_at >= span.since and occurred_at < span.until
      offset 0
    ) as found`;
}

function uncountedPart(
  request: CountRequest,
  batches: readonly UncountedBatch[],
  spans: readonly Span[],
): RawBuilder<unknown> {
  const outside =
    spans.length === 0
      ? sql``
      : sql`and not exists (
          select from ${unnestSpans(spans)} where occurred_at >= span.since and occurred_at < span.until)`;
  return sql`
    select ${countColumns(request)}, 1 as n from annals.activity
    where ${whereActivity(request.filter, request.sight)} and batch_id = any(${batches.map(({ id }) => id)}::uuid[])
      and occurred_at between ${moment(Math.min(...batches.map(({ firstMs }) => firstMs)))}
        and ${moment(Math.max(...batches.map(({ lastMs }) => lastMs)))} ${outside}`;
}

function unnestSpans(spans: readonly Span[]): RawBuilder<unknown> {
  return sql`unnest(${toTexts(spans.map(({ since }) => since))}::timestamptz[],
    ${toTexts(spans.map(({ until }) => until))}::timestamptz[]) as span (since, until)`;
}

function toTexts(times: readonly number[]): string[] {
  return times.map((ms) => new Date(ms).toISOString());
}

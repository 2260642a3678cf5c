import type { Filter } from '@annals/contract';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { selectCells } from '../rollup/count-by-rollup.ts';
import { type Cube, cubeOf, dimensionsOf } from '../rollup/cubes.ts';
import { type Coverage, findCoverage, type Span as MsSpan, toSpan } from '../rollup/find-coverage.ts';
import type { Span } from './spans.ts';
import type { Sight } from './where.ts';

export interface QuartersRequest {
  /** What else must hold of a timeline's records. */
  readonly rest: Filter;
  readonly sight: Sight;
  readonly range: Span;
  readonly descending: boolean;
  /** So many quarters of an hour at most. */
  readonly limit: number;
}

export interface CountedQuarters {
  /** Where records of the filter can lie, in the order of the walk; apart from each other. */
  readonly spans: readonly MsSpan[];
  /** Up to here that is told; absent where it is for the whole range. */
  readonly edgeMs?: number;
}

/**
 * The stretches of a range of time in which there can be records of a filter, by the counts that stats are made of: a
 * value that is seldom, or was never there, is found without an index of its own and without looking at the records
 * that lack it. Undefined where the filter looks at nothing that is counted, or too little is counted yet.
 */
export async function countedQuarters(
  tx: Tx,
  request: QuartersRequest,
): Promise<CountedQuarters | undefined> {
  for (const { cube, part } of cubesFor(request.rest)) {
    const coverage = await findCoverage(tx, cube, request.range as Pick<Filter, 'from' | 'to'>);
    const besides = coverage && besidesOf(coverage);
    if (!coverage || !besides) continue;
    const quarters = await quartersOf(tx, { ...request, cube, part, coverage });
    const full = quarters.length === request.limit;
    const last = quarters.at(-1);
    const edgeMs = full && last ? (request.descending ? last.since : last.until) : undefined;
    const spans = clip([...quarters, ...besides], { edgeMs, descending: request.descending });
    return { spans: merged(spans, request.descending), ...(edgeMs !== undefined && { edgeMs }) };
  }
  return undefined;
}

interface CubeFor {
  readonly cube: Cube;
  /** What of the filter it tells. */
  readonly part: Filter;
}

/** All that is counted of the filter together, if that is counted; else one dimension of it. */
function cubesFor(rest: Filter): CubeFor[] {
  const parts = Object.entries(rest).flatMap(([name, value]) => {
    const part: Filter = { [name]: value };
    const cube = cubeFor(part);
    return cube ? [{ cube, part }] : [];
  });
  const whole: Filter = Object.assign({}, ...parts.map(({ part }) => part));
  const together = parts.length > 1 && cubeFor(whole);
  return [...(together ? [{ cube: together, part: whole }] : []), ...parts.slice(0, 1)];
}

function cubeFor(part: Filter): Cube | undefined {
  const dimensions = dimensionsOf(part);
  return dimensions && dimensions.size > 0 ? cubeOf(dimensions) : undefined;
}

const besidesMaxMs = 86_400_000;

/** What must be looked at whatever is counted; undefined where that is too much. */
function besidesOf({ spans, uncounted }: Coverage): MsSpan[] | undefined {
  const fresh = uncounted.map(({ firstMs, lastMs }) => ({ since: firstMs, until: lastMs + 1 }));
  return fresh.some(({ since, until }) => until - since > besidesMaxMs) ? undefined : [...spans, ...fresh];
}

interface Quarters extends QuartersRequest, CubeFor {
  readonly coverage: Coverage;
}

/** Those in which the counts of a cell that the filter selects change, the first of the walk. */
async function quartersOf(
  tx: Tx,
  { cube, part, coverage: { parts }, sight, descending, limit }: Quarters,
): Promise<MsSpan[]> {
  const direction = sql.raw(descending ? 'desc' : 'asc');
  const cells = selectCells(tx, cube, { filter: part, sight, groupBy: [], limit });
  const rows = await tx.query(sql<{ day: string; slot: number }>`
    with cells as materialized (${cells})
    select distinct part.day::text as day, slot::int as slot
    from unnest(${parts.map(({ day }) => day)}::date[], ${parts.map(({ since }) => since)}::smallint[],
      ${parts.map(({ until }) => until)}::smallint[]) as part (day, since, until)
    cross join cells
    cross join lateral (
      select slots from annals.rollup r
      where r.tenant_id = ${tx.tenantId} and r.cube = ${cube.name} and r.day = part.day and r.cell = cells.id
      offset 0
    ) as r
    cross join lateral unnest(r.slots) as slot
    where slot >= part.since and slot < part.until
    order by day ${direction}, slot ${direction} limit ${limit}`);
  return rows.map(({ day, slot }) => toSpan({ day, since: slot, until: slot + 1 }));
}

function clip(
  spans: readonly MsSpan[],
  { edgeMs, descending }: { readonly edgeMs: number | undefined; readonly descending: boolean },
): MsSpan[] {
  if (edgeMs === undefined) return [...spans];
  return spans
    .map(({ since, until }) =>
      descending ? { since: Math.max(since, edgeMs), until } : { since, until: Math.min(until, edgeMs) },
    )
    .filter(({ since, until }) => since < until);
}

/** In order, those that touch each other as one. */
function merged(spans: readonly MsSpan[], descending: boolean): MsSpan[] {
  const result: { since: number; until: number }[] = [];
  for (const { since, until } of spans.toSorted((a, b) => a.since - b.since)) {
    const last = result.at(-1);
    if (last && since <= last.until) last.until = Math.max(last.until, until);
    else result.push({ since, until });
  }
  return descending ? result.toReversed() : result;
}

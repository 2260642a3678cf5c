import {
  type FacetField,
  type FacetsInput,
  type FacetsResult,
  type Filter,
  formatQuery,
} from '@annals/contract';
import type { Context, Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { countByRollup } from '../rollup/count-by-rollup.ts';
import { type ScanBounds, scanBounds } from '../rollup/count-by-scan.ts';
import { isCounted } from '../rollup/cubes.ts';
import { toEstimate } from '../rollup/to-estimate.ts';
import { topByScan } from '../rollup/top-by-scan.ts';
import { read, sightOf } from './read.ts';
import { resolveFilter } from './resolve-filter.ts';
import { whereActivity } from './where.ts';

type Facet = FacetsResult['facets'][number];

/**
 * The top values of each field with their counts, under the filter without its part on that field: a choice
 * in one field must not hide the others of the same field.
 *
 * Order   largest counts first, equal ones by value; `more` when there are further values.
 * Returns exact counts, but where no rollup tells and there are too many to count in time: then `estimate` says of
 *         which they are.
 * Errors  those of `resolveFilter`.
 */
export async function facetActivities({ ctx, input }: Verb<FacetsInput>): Promise<FacetsResult> {
  const { fields, limit } = input;
  const filter = resolveFilter(ctx, input);
  const facets = await read(
    ctx,
    async (tx) => {
      const found = new Map<FacetField, Facet>();
      const scanned: FacetField[] = [];
      for (const field of fields) {
        const facet = await facetByRollup(tx, ctx, { field, filter: without(filter, field), limit });
        if (facet) found.set(field, facet);
        else scanned.push(field);
      }
      const groups = byFilter(filter, scanned);
      // All of them together take no longer than one.
      const bounds = { ...scanBounds, timeMs: Math.ceil(scanBounds.timeMs / Math.max(1, groups.length)) };
      for (const group of groups) {
        for (const facet of await facetsByScan(tx, ctx, { ...group, limit, bounds }))
          found.set(facet.field, facet);
      }
      return found;
    },
    { snapshot: true },
  );
  return { facets: fields.map((field) => facets.get(field) as Facet) };
}

interface FacetOf {
  readonly field: FacetField;
  readonly filter: Filter;
  readonly limit: number;
}

async function facetByRollup(
  tx: Tx,
  ctx: Context,
  { field, filter, limit }: FacetOf,
): Promise<Facet | undefined> {
  if (!isCounted(field)) return undefined;
  const rows = await countByRollup(tx, {
    filter,
    sight: sightOf(ctx),
    groupBy: [field],
    limit: limit + 1,
    presentOnly: true,
  });
  return (
    rows &&
    toFacet(
      field,
      rows.map(({ g0, count }) => ({ value: g0 ?? '', count })),
      limit,
    )
  );
}

interface FacetsOf {
  readonly fields: readonly FacetField[];
  readonly filter: Filter;
  readonly limit: number;
  readonly bounds: ScanBounds;
}

async function facetsByScan(
  tx: Tx,
  ctx: Context,
  { fields, filter, limit, bounds }: FacetsOf,
): Promise<Facet[]> {
  const where = whereActivity(filter, sightOf(ctx));
  const { values, sinceMs } = await topByScan(tx, { where, range: filter, fields, limit: limit + 1 }, bounds);
  return fields.map((field) => ({
    ...toFacet(field, values.get(field) ?? [], limit),
    ...toEstimate(sinceMs),
  }));
}

function toFacet(field: FacetField, values: readonly Facet['values'][number][], limit: number): Facet {
  return { field, values: values.slice(0, limit), more: values.length > limit };
}

/** One scan serves all fields that the filter has no part on. */
function byFilter(filter: Filter, fields: readonly FacetField[]): Pick<FacetsOf, 'fields' | 'filter'>[] {
  const groups = Map.groupBy(fields, (field) => formatQuery(without(filter, field)));
  return [...groups.values()].map((members) => ({
    fields: members,
    filter: without(filter, members[0] as FacetField),
  }));
}

function without(filter: Filter, field: FacetField): Filter {
  const { [field]: _own, ...others } = filter;
  if (field === 'severity') delete others.severityAtLeast;
  return others;
}

import type { FacetField, FacetsInput, FacetsResult, Filter } from '@annals/contract';
import type { Verb } from '../context.ts';
import { read, sightOf } from './read.ts';
import { resolveFilter } from './resolve-filter.ts';
import { topValues } from './top-values.ts';
import { whereActivity } from './where.ts';

/**
 * The top values of each field with their counts, under the filter without its part on that field: a choice
 * in one field must not hide the others of the same field.
 *
 * Order  largest counts first, equal ones by value; `more` when there are further values.
 * Errors those of `resolveFilter`.
 */
export async function facetActivities({ ctx, input }: Verb<FacetsInput>): Promise<FacetsResult> {
  const filter = resolveFilter(ctx, input);
  return read(
    ctx,
    async (tx) => {
      const facets = [];
      for (const field of input.fields) {
        const where = whereActivity(without(filter, field), sightOf(ctx));
        const values = await tx.query(topValues({ field, where, limit: input.limit + 1 }));
        facets.push({ field, values: values.slice(0, input.limit), more: values.length > input.limit });
      }
      return { facets };
    },
    { snapshot: true },
  );
}

function without(filter: Filter, field: FacetField): Filter {
  const { [field]: _own, ...others } = filter;
  if (field === 'severity') delete others.severityAtLeast;
  return others;
}

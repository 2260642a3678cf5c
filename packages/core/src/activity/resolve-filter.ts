import { AnnalsError, type Filter, parseQuery, personalFieldsOf } from '@annals/contract';
import { type Context, hasScope } from '../context.ts';

/** How a call names records: a filter object or query text; neither means all. */
export interface Selection {
  readonly filter?: Filter | undefined;
  readonly query?: string | undefined;
}

/**
 * The filter of a call, in its canonical form.
 *
 * Errors `invalid_input` when both are given, `invalid_query` for text that does not parse, `forbidden` for
 *        a filter on a personal field without `personal:read`: who may filter by a value can guess it.
 */
export function resolveFilter(
  ctx: Pick<Context, 'clock' | 'principal'>,
  { filter, query }: Selection,
): Filter {
  if (filter !== undefined && query !== undefined) {
    throw new AnnalsError({
      code: 'invalid_input',
      message: 'must not be given with filter: the two say the same',
      path: 'query',
    });
  }
  const resolved = filter ?? (query === undefined ? {} : parseQuery(query, { now: ctx.clock.now() }));
  const [field] = personalFieldsOf(resolved);
  if (field !== undefined && !seesPersonal(ctx)) {
    throw new AnnalsError({
      code: 'forbidden',
      message: `the key needs the scope personal:read to filter by ${field}`,
      path: query === undefined ? `filter.${field}` : 'query',
    });
  }
  return resolved;
}

/** Whether the caller may see personal fields. */
export function seesPersonal({ principal }: Pick<Context, 'principal'>): boolean {
  return hasScope(principal, 'personal:read');
}

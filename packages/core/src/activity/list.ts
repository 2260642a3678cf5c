import type { ListInput, Page } from '@annals/contract';
import type { Verb } from '../context.ts';
import { rowsAtOnce } from './gather-rows.ts';
import { pageTransaction, readPage } from './page.ts';
import { read, sightOf } from './read.ts';
import { resolveFilter } from './resolve-filter.ts';
import { isOneStrand } from './timelines.ts';

/**
 * A page of the activities that a filter selects, in time order.
 *
 * Errors those of `resolveFilter`; `invalid_input` at `cursor`; `timeout`.
 */
export async function listActivities({ ctx, input }: Verb<ListInput>): Promise<Page> {
  const filter = resolveFilter(ctx, input);
  const prepared = input.limit + 2 <= rowsAtOnce && isOneStrand(filter);
  const request = { ...input, filter, sight: sightOf(ctx), now: ctx.clock.now(), prepared };
  return read(ctx, (tx) => readPage(tx, request), { ...pageTransaction, prepared });
}

import type { Activity, FilterInput, Page, ProcedureInput } from '@annals/contract';
import type { CallOptions } from './options.ts';
import { toJson } from './to-json.ts';
import type { Transport } from './transport.ts';
import { withTenant } from './with-tenant.ts';

/** Which activities: a filter, or the same as query text; neither means all. */
export type Selection = FilterInput | string | undefined;

export interface ListOptions extends CallOptions {
  readonly order?: 'newest' | 'oldest' | undefined;
  /** Activities fetched at once. */
  readonly pageSize?: number | undefined;
  /** `next` or `previous` of an earlier page of the same selection and order, to go on from there. */
  readonly cursor?: string | undefined;
}

/** Activities as they are asked for: no page is fetched before it is needed. Each iteration starts anew. */
export interface ActivityList extends AsyncIterable<Activity> {
  /** Page by page. */
  pages(): AsyncIterable<Page>;
}

export function listActivities(
  transport: Transport,
  selection: Selection,
  options: ListOptions = {},
): ActivityList {
  const { order, pageSize, cursor: first, ...call } = options;
  const input: ProcedureInput<'activity.list'> = {
    ...withTenant(transport, selectionOf(selection), call),
    ...(order && { order }),
    ...(pageSize !== undefined && { limit: pageSize }),
  };
  // Copied now: a filter that the caller changes later must not change between two pages.
  const copied = JSON.parse(toJson(input)) as object;
  async function* pages(): AsyncGenerator<Page> {
    let cursor = first;
    do {
      const json = cursor === undefined ? copied : { ...copied, cursor };
      const page = await transport.send('activity.list', json, call);
      yield page;
      cursor = page.next;
    } while (cursor !== undefined);
  }
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const page of pages()) yield* page.activities;
    },
  };
}

export function selectionOf(selection: Selection): { query?: string; filter?: FilterInput } {
  if (selection === undefined) return {};
  return typeof selection === 'string' ? { query: selection } : { filter: selection };
}

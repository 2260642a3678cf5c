import type { Activity, FilterInput, Page, ProcedureInput } from '@annals/contract';
import type { CallOptions } from './options.ts';
import { readAhead } from './read-ahead.ts';
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

/**
 * Activities as they are asked for: no page of a list is fetched before it is needed, and of an export one at most.
 * Each iteration starts anew.
 */
export interface ActivityList extends AsyncIterable<Activity> {
  /** Page by page, as the server gives them. */
  pages(): AsyncIterable<Page>;
}

export function listActivities(
  transport: Transport,
  { name, selection, options = {} }: ListRequest,
): ActivityList {
  const { order, pageSize, cursor: first, ...call } = options;
  const input: ProcedureInput<'activity.list'> = {
    ...withTenant(transport, selectionOf(selection), call),
    ...(order && { order }),
    ...(pageSize !== undefined && { limit: pageSize }),
  };
  // Copied now: a filter that the caller changes later must not change between two pages.
  const copied = JSON.parse(toJson(input)) as object;
  const read = (cursor: string | undefined): Promise<Page> => {
    const json = cursor === undefined ? copied : { ...copied, cursor };
    return transport.send(name, json, call);
  };
  async function* onDemand(): AsyncGenerator<Page> {
    let cursor = first;
    do {
      const page = await read(cursor);
      yield page;
      cursor = page.next;
    } while (cursor !== undefined);
  }
  // An export is mostly wanted as a whole; of a list often no more than the first page.
  const pages = () => (name === 'activity.export' ? readAhead<Page>({ read, first }) : onDemand());
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const page of pages()) yield* page.activities;
    },
  };
}

export interface ListRequest {
  readonly name: 'activity.list' | 'activity.export';
  readonly selection: Selection;
  readonly options: ListOptions | undefined;
}

export function selectionOf(selection: Selection): { query?: string; filter?: FilterInput } {
  if (selection === undefined) return {};
  return typeof selection === 'string' ? { query: selection } : { filter: selection };
}

import { type Filter, type ListInput, limits, type Page } from '@annals/contract';
import type { Tx } from '../database/database.ts';
import { timeOfId } from './activity-id.ts';
import { type Cursor, formatCursor, parseCursor } from './cursor.ts';
import { toActivity } from './row.ts';
import { type Place, type Walk, type Walked, walkRows } from './walk.ts';
import type { Sight } from './where.ts';

export interface PageRequest extends Pick<ListInput, 'order' | 'limit'> {
  readonly cursor?: string | undefined;
  readonly filter: Filter;
  readonly sight: Sight;
  readonly now: Date;
  /** The transaction's statements are planned once for all: in vain for what each page asks anew. */
  readonly prepared?: boolean;
}

/** For the transaction in which a page is read. */
export const pageTransaction = { snapshot: true, indexOrder: true } as const;

/**
 * One page of the records that a filter selects, by the key `(occurred_at, id)`.
 *
 * Walking `next` and then `previous` meets the same records in the same order, whatever is written elsewhere
 * meanwhile. A cursor goes on from the place of its record also when the record itself has gone.
 * Caution  in a transaction with the options of `pageTransaction`.
 */
export async function readPage(
  tx: Tx,
  { order, limit, filter, sight, now, prepared = false, ...request }: PageRequest,
): Promise<Page> {
  const cursor = request.cursor === undefined ? undefined : parseCursor(order, request.cursor);
  const walksBack = cursor?.side === 'before';
  const descending = (order === 'newest') !== walksBack;
  const deadlineMs = performance.now() + limits.pageSearchMsMax;
  const walk: Walk = {
    filter,
    sight,
    now,
    prepared,
    descending,
    place: cursor,
    limit: limit + 1,
    deadlineMs,
  };
  const { rows, stoppedAt, behind } = await walkFrom(tx, walk, cursor);
  const activities = rows.slice(0, limit).map((row) => toActivity(row, sight));
  const onward = placeOf(rows.length > limit ? activities.at(-1)?.id : stoppedAt);
  // An empty page is left the way it was entered.
  const back = behind ? (placeOf(activities[0]?.id) ?? opposite(cursor)) : undefined;
  if (walksBack) activities.reverse();
  const [next, previous] = walksBack ? [back, onward] : [onward, back];
  return {
    activities,
    ...(next && { next: formatCursor(order, { side: 'after', ...next }) }),
    ...(previous && { previous: formatCursor(order, { side: 'before', ...previous }) }),
    ...(stoppedAt !== undefined && rows.length <= limit && { searchedTo: timeOfId(stoppedAt) }),
  };
}

/** The rows beyond a cursor, and whether there are any on the other side of it. */
async function walkFrom(
  tx: Tx,
  walk: Walk,
  cursor: Cursor | undefined,
): Promise<Walked & { readonly behind: boolean }> {
  if (!cursor) return { ...(await walkRows(tx, walk)), behind: false };
  // With the cursor's own record, which mostly is still there, and then is what lies behind.
  const { rows, stoppedAt } = await walkRows(tx, {
    ...walk,
    place: { id: cursor.id, inclusive: true },
    limit: walk.limit + 1,
  });
  const own = rows[0]?.id === cursor.id;
  if (own && !cursor.inclusive) return { rows: rows.slice(1), stoppedAt, behind: true };
  const other = await walkRows(tx, {
    ...walk,
    descending: !walk.descending,
    place: opposite(cursor),
    limit: 1,
  });
  return { rows, stoppedAt, behind: other.rows.length > 0 || other.stoppedAt !== undefined };
}

function placeOf(id: string | undefined): Place | undefined {
  return id === undefined ? undefined : { id, inclusive: false };
}

/** Where the other direction begins, to meet just what this one does not. */
function opposite(cursor: Place | undefined): Place | undefined {
  return cursor && { id: cursor.id, inclusive: !cursor.inclusive };
}

import type { Filter, ListInput, Page } from '@annals/contract';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { timeOfId } from './activity-id.ts';
import { type Cursor, formatCursor, type Order, parseCursor } from './cursor.ts';
import { type ActivityRow, rowColumns, toActivity } from './row.ts';
import { type Condition, every, type Sight, whereActivity } from './where.ts';

export interface PageRequest extends Pick<ListInput, 'order' | 'limit'> {
  readonly cursor?: string | undefined;
  readonly filter: Filter;
  readonly sight: Sight;
}

/**
 * One page of the records that a filter selects, by the key `(occurred_at, id)`.
 *
 * Walking `next` and then `previous` meets the same records in the same order, whatever is written elsewhere
 * meanwhile. A cursor goes on from the place of its record also when the record itself has gone.
 */
export async function readPage(
  tx: Tx,
  { order, limit, filter, sight, ...request }: PageRequest,
): Promise<Page> {
  const cursor = request.cursor === undefined ? undefined : parseCursor(order, request.cursor);
  const where = whereActivity(filter, sight);
  const rows = await readRows(tx, { where, order, cursor, limit: limit + 1 });
  const onward = rows.length > limit;
  const behind = cursor && (await readRows(tx, { where, order, cursor: complement(cursor), limit: 1 }));
  const back = behind !== undefined && behind.length > 0;
  const activities = rows.slice(0, limit).map((row) => toActivity(row, sight));
  const walksBack = cursor?.side === 'before';
  if (walksBack) activities.reverse();
  const cursorAt = (side: Cursor['side'], id: string | undefined): string | undefined => {
    if (id !== undefined) return formatCursor(order, { side, inclusive: false, id });
    return cursor && formatCursor(order, complement(cursor));
  };
  const next = (walksBack ? back : onward) ? cursorAt('after', activities.at(-1)?.id) : undefined;
  const previous = (walksBack ? onward : back) ? cursorAt('before', activities[0]?.id) : undefined;
  return {
    activities,
    ...(next !== undefined && { next }),
    ...(previous !== undefined && { previous }),
  };
}

/** What a cursor leaves out: an empty page is left the way it was entered. */
function complement({ side, inclusive, id }: Cursor): Cursor {
  return { side: side === 'after' ? 'before' : 'after', inclusive: !inclusive, id };
}

interface Walk {
  readonly where: Condition;
  readonly order: Order;
  readonly cursor: Cursor | undefined;
  readonly limit: number;
}

/** The records nearest to the cursor first. */
async function readRows(tx: Tx, { where, order, cursor, limit }: Walk): Promise<ActivityRow[]> {
  const descending = (order === 'newest') === (cursor?.side !== 'before');
  const direction = sql.raw(descending ? 'desc' : 'asc');
  const place = cursor ? [beyond(cursor, descending)] : [];
  return tx.query(
    sql<ActivityRow>`select ${rowColumns} from annals.activity where ${every([where, ...place])}
      order by occurred_at ${direction}, id ${direction} limit ${limit}`,
  );
}

/** The comparison of rows starts the index at the place; the one of times lets the planner leave out partitions. */
function beyond({ id, inclusive }: Cursor, descending: boolean): Condition {
  const time = timeOfId(id).toISOString();
  const comparison = sql.raw(`${descending ? '<' : '>'}${inclusive ? '=' : ''}`);
  const bound = sql.raw(descending ? '<=' : '>=');
  return sql`(occurred_at ${bound} ${time}::timestamptz
    and (occurred_at, id) ${comparison} (${time}::timestamptz, ${id}::uuid))`;
}

import { limits } from '@annals/contract';
import { sql } from 'kysely';
import { epochMs } from '../activity/row.ts';
import { every, whereActivity } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { countColumns, groupNames, orderOf, sumCounts } from './count-columns.ts';
import type { CountRequest, CountRow } from './count-request.ts';
import { newestOf } from './newest-of.ts';
import { withinTime } from './within-time.ts';

/** How much a count may look at. */
export interface ScanBounds {
  /** Activities that the filter selects. */
  readonly activitiesMax: number;
  /** Milliseconds; after that, only the newest activities are looked at, whether or not the filter selects them. */
  readonly timeMs: number;
  readonly newestMax: number;
}

export const scanBounds: ScanBounds = {
  activitiesMax: limits.scanActivitiesMax,
  timeMs: limits.scanMsMax,
  newestMax: limits.scanNewestMax,
};

export interface Counts {
  readonly rows: readonly CountRow[];
  /** Present where not all were counted: the time, in milliseconds since 1970, before which none was. */
  readonly sinceMs?: number | undefined;
}

/**
 * Count the activities themselves, the newest first, within bounds: exact while these suffice, else of the newest
 * alone.
 */
export async function countByScan(
  tx: Tx,
  request: CountRequest,
  bounds: ScanBounds = scanBounds,
): Promise<Counts> {
  const counts = await withinTime(tx, bounds.timeMs, () => countSelected(tx, request, bounds.activitiesMax));
  return counts ?? countNewest(tx, request, bounds.newestMax);
}

type ScanRow = CountRow & { readonly total: number; readonly oldest_ms: number | null };

async function countSelected(tx: Tx, request: CountRequest, activitiesMax: number): Promise<Counts> {
  const { filter, sight, interval, presentOnly } = request;
  const groups = groupNames(request);
  const keys = [...(interval ? [sql.ref('from_ms')] : []), ...groups];
  const from = interval ? sql.ref('from_ms') : sql`null::float8 as from_ms`;
  const rows = await tx.query(sql<ScanRow>`
    select * from (
      select ${sql.join([from, ...groups])}, count(*)::float8 as count,
        (sum(count(*)) over ())::float8 as total, ${epochMs(sql`min(min(occurred_at)) over ()`)} as oldest_ms
      from (
        select ${countColumns(request)}, occurred_at from annals.activity where ${whereActivity(filter, sight)}
        order by occurred_at desc, id desc limit ${activitiesMax + 1}
      ) as found
      ${keys.length > 0 ? sql`group by ${sql.join(keys)}` : sql``}
    ) as counts
    ${presentOnly ? sql`where g0 is not null` : sql``}
    order by ${orderOf(request)} limit ${request.limit}`);
  const [first] = rows;
  const isCut = first !== undefined && first.total > activitiesMax;
  return { rows, sinceMs: isCut ? (first.oldest_ms ?? undefined) : undefined };
}

async function countNewest(tx: Tx, request: CountRequest, newestMax: number): Promise<Counts> {
  const { where, sinceMs } = await newestOf(tx, request.filter, newestMax);
  const found = sql`select ${countColumns(request)}, 1 as n from annals.activity
    where ${every([whereActivity(request.filter, request.sight), where])}`;
  return { rows: await sumCounts(tx, request, found), sinceMs };
}

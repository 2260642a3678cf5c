import { type RawBuilder, sql } from 'kysely';
import { timeOfId } from './activity-id.ts';
import { type ActivityRow, rowColumns } from './row.ts';
import type { Span } from './spans.ts';
import type { Timeline } from './timelines.ts';
import type { Place } from './walk.ts';
import { type Condition, every, type Sight, whereActivity } from './where.ts';

/** A row of a page. */
export type PageRow = ActivityRow & { readonly id: string };

/** A stretch of a timeline. */
export interface Stretch {
  readonly timeline: Timeline;
  readonly span: Span;
  /** Records on the other side of it are left out. */
  readonly place: Place | undefined;
  readonly sight: Sight;
  readonly descending: boolean;
  /** What is selected of each record; all that makes the record unless told otherwise. */
  readonly columns?: RawBuilder<unknown> | undefined;
}

/** The first records of a stretch, in its order. All that is asked for hangs on indexes, which end the work early. */
export function selectFirst(stretch: Stretch, limit: number): RawBuilder<PageRow> {
  return sql`select ${columnsOf(stretch)} from (${inOrder(stretch, limit)}) as found ${orderBy(stretch)}`;
}

/**
 * The first records that `rest` selects among the first `among` of a stretch.
 *
 * The limit of the inner statement keeps the planner from taking the whole for something to be collected and
 * sorted where it believes that few records match.
 */
export function selectAmong(
  stretch: Stretch,
  { among, limit }: { readonly among: number; readonly limit: number },
): RawBuilder<PageRow> {
  const { timeline, sight } = stretch;
  return sql`
    select ${columnsOf(stretch)} from (${inOrder(stretch, among)}) as scanned
    where ${whereActivity(timeline.rest, sight)} ${orderBy(stretch)} limit ${limit}`;
}

/** Spans of time in milliseconds since 1970, apart from each other and in the order of the stretch. */
export interface Spans {
  readonly spans: readonly { readonly since: number; readonly until: number }[];
  readonly limit: number;
}

/**
 * The first records of a stretch that its `rest` selects within some spans: span by span, so that the later ones are
 * not looked at once there are enough. Nothing is sorted here either, since a join to a list keeps the list's order.
 */
export function selectWithin(stretch: Stretch, { spans, limit }: Spans): RawBuilder<PageRow> {
  const { timeline, sight } = stretch;
  const all = {
    from: new Date(Math.min(...spans.map(({ since }) => since))),
    to: new Date(Math.max(...spans.map(({ until }) => until))),
  };
  const where = every([
    sql`tenant_id = ${sight.tenantId}`,
    timeline.whole,
    ...within(stretch.span),
    ...(stretch.place ? [beyondByFilter(stretch.place, stretch.descending)] : []),
    ...within(all),
    sql`occurred_at >= span.since and occurred_at < span.until`,
    whereActivity(timeline.rest, sight),
  ]);
  return sql`
    select ${columnsOf(stretch)}
    from unnest(${spans.map(({ since }) => toText(since))}::timestamptz[],
      ${spans.map(({ until }) => toText(until))}::timestamptz[]) as span (since, until)
    cross join lateral (select * from annals.activity where ${where} ${orderBy(stretch)} limit ${limit}) as found
    limit ${limit}`;
}

function columnsOf({ columns = rowColumns }: Stretch): RawBuilder<unknown> {
  return columns;
}

function toText(ms: number): string {
  return new Date(ms).toISOString();
}

/** Id of the record of a stretch at a place, from 1; from the index alone. */
export function selectNth(stretch: Stretch, nth: number): RawBuilder<{ id: string }> {
  return sql`select id from (${inOrder(stretch, nth)}) as passed ${orderBy(stretch)} offset ${nth - 1} limit 1`;
}

function inOrder(stretch: Stretch, limit: number): RawBuilder<unknown> {
  const { timeline, sight } = stretch;
  const bounds = boundsOf(stretch);
  const strands = timeline.strands.map((strand) => {
    const where = every([sql`tenant_id = ${sight.tenantId}`, strand, ...bounds]);
    return sql`(select * from annals.activity where ${where} ${orderBy(stretch)} limit ${limit})`;
  });
  if (strands.length === 1) return sql`${strands[0]}`;
  return sql`select * from (${sql.join(strands, sql` union all `)}) as strand ${orderBy(stretch)} limit ${limit}`;
}

function boundsOf({ span, place, descending }: Stretch): Condition[] {
  return [...within(span), ...(place ? [beyond(place, descending)] : [])];
}

function orderBy({ descending }: Pick<Stretch, 'descending'>): RawBuilder<unknown> {
  const direction = sql.raw(descending ? 'desc' : 'asc');
  return sql`order by occurred_at ${direction}, id ${direction}`;
}

/** What of time lets the planner leave out partitions. */
export function within({ from, to }: Span): Condition[] {
  return [
    ...(from ? [sql<boolean>`occurred_at >= ${from.toISOString()}::timestamptz`] : []),
    ...(to ? [sql<boolean>`occurred_at < ${to.toISOString()}::timestamptz`] : []),
  ];
}

/**
 * For an index that starts elsewhere: given a comparison of rows it starts at the place, and passes all that lies
 * between that and where it is to begin.
 */
function beyondByFilter({ id, inclusive }: Place, descending: boolean): Condition {
  const time = timeOfId(id).toISOString();
  const comparison = sql.raw(`${descending ? '<' : '>'}${inclusive ? '=' : ''}`);
  const bound = sql.raw(descending ? '<=' : '>=');
  return sql`(occurred_at ${bound} ${time}::timestamptz
    and (occurred_at <> ${time}::timestamptz or id ${comparison} ${id}::uuid))`;
}

/** The comparison of rows starts the index at the place; the one of times lets the planner leave out partitions. */
function beyond({ id, inclusive }: Place, descending: boolean): Condition {
  const time = timeOfId(id).toISOString();
  const comparison = sql.raw(`${descending ? '<' : '>'}${inclusive ? '=' : ''}`);
  const bound = sql.raw(descending ? '<=' : '>=');
  return sql`(occurred_at ${bound} ${time}::timestamptz
    and (occurred_at, id) ${comparison} (${time}::timestamptz, ${id}::uuid))`;
}

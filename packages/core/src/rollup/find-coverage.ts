import type { Filter } from '@annals/contract';
import { sql } from 'kysely';
import { endOfTime } from '../activity/activity-id.ts';
import { epochMs } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import { followerPlace, logStart } from '../log/follower-place.ts';
import { rollupFollower } from './count-batches.ts';
import type { Cube } from './cubes.ts';

/** Whole quarters of an hour of a day (UTC), from 0; `until` not included. */
export interface DayPart {
  /** As 2026-01-31. */
  readonly day: string;
  readonly since: number;
  readonly until: number;
}

/** Milliseconds since 1970, `until` not included. */
export interface Span {
  readonly since: number;
  readonly until: number;
}

/** Where the counts of a range are to be had; together the three are all activities of it, and each of them once. */
export interface Coverage {
  /** Of the counts. */
  readonly parts: readonly DayPart[];
  /** Of the activities themselves: what the counts do not divide as finely, or not by the cube. */
  readonly spans: readonly Span[];
  /** Of the activities of these batches, outside of `spans`: they are not counted yet. */
  readonly uncounted: readonly UncountedBatch[];
}

export interface UncountedBatch {
  readonly id: string;
  readonly firstMs: number;
  readonly lastMs: number;
}

const quarterMs = 900_000;
export const quartersADay = 96;
const dayMs = quarterMs * quartersADay;

/** Beyond so many activities that must be looked at one by one, the counts are not worth their trouble. */
const uncountedMax = 20_000;
const uncountedBatchesMax = 1_024;
const closedActivitiesMax = 100_000;

/**
 * Where the counts of a range of time are to be had by a cube, in the snapshot of the transaction; undefined where too
 * little of it is counted.
 */
export async function findCoverage(
  tx: Tx,
  cube: Cube,
  asked: Pick<Filter, 'from' | 'to'>,
): Promise<Coverage | undefined> {
  const range = withinRecords(asked);
  const uncounted = await findUncounted(tx, range);
  if (!uncounted) return undefined;
  const whole = wholeQuarters(range);
  const days = whole.since < whole.until ? await countedDays(tx, cube, whole) : [];
  const closed = days.filter(({ isClosed }) => isClosed).map(({ day }) => day);
  if (closed.length > 0 && (await countOn(tx, closed)) > closedActivitiesMax) return undefined;
  const parts = days.map(({ day, isClosed }) => ({ ...clip(day, whole), isClosed }));
  return {
    parts: parts.filter(({ isClosed }) => !isClosed),
    spans: [...edgesOf(range, whole), ...parts.filter(({ isClosed }) => isClosed).map(toSpan)],
    uncounted,
  };
}

/** When a part of a day begins and ends. */
export function toSpan({ day, since, until }: DayPart): Span {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return { since: midnight + since * quarterMs, until: midnight + until * quarterMs };
}

/** Undefined where nothing has been counted yet, or too little. */
async function findUncounted(
  tx: Tx,
  { from, to }: Pick<Filter, 'from' | 'to'>,
): Promise<UncountedBatch[] | undefined> {
  const place = await followerPlace(tx, rollupFollower.name);
  if (place.epoch === logStart.epoch && place.index === logStart.index) return undefined;
  const within = sql`tenant_id = ${tx.tenantId}
    and last_occurred_at >= ${from?.toISOString() ?? '-infinity'}::timestamptz
    and first_occurred_at < ${to?.toISOString() ?? 'infinity'}::timestamptz`;
  const columns = sql`id, size, ${epochMs(sql.ref('first_occurred_at'))} as "firstMs",
    ${epochMs(sql.ref('last_occurred_at'))} as "lastMs"`;
  // Apart, so that the planner finds each by an index: there can be millions of batches, and few are not counted.
  const behind = [
    sql`first_index is null`,
    sql`epoch = ${place.epoch} and first_index >= ${place.index}`,
    sql`epoch > ${place.epoch} and first_index is not null`,
  ].map(
    (where) =>
      sql`(select ${columns} from annals.batch where ${within} and ${where} limit ${uncountedBatchesMax})`,
  );
  const rows = await tx.query(sql<UncountedBatch & { size: number }>`${sql.join(behind, sql` union all `)}`);
  const activities = rows.reduce((sum, { size }) => sum + size, 0);
  return rows.length < uncountedBatchesMax && activities <= uncountedMax ? rows : undefined;
}

/** What of a range can hold records: beyond, a day before or a quarter after has no text that the database reads. */
function withinRecords({ from, to }: Pick<Filter, 'from' | 'to'>): Pick<Filter, 'from' | 'to'> {
  return { ...(from && { from: clamp(from) }), ...(to && { to: clamp(to) }) };
}

function clamp(date: Date): Date {
  return new Date(Math.min(Math.max(date.getTime(), 0), endOfTime.getTime()));
}

/** The quarters of an hour that lie within the range as a whole. */
function wholeQuarters({ from, to }: Pick<Filter, 'from' | 'to'>): Span {
  return {
    since: from ? Math.ceil(from.getTime() / quarterMs) * quarterMs : Number.NEGATIVE_INFINITY,
    until: to ? Math.floor(to.getTime() / quarterMs) * quarterMs : Number.POSITIVE_INFINITY,
  };
}

function edgesOf({ from, to }: Pick<Filter, 'from' | 'to'>, { since, until }: Span): Span[] {
  // Within one quarter, or with one quarter's begin between them.
  if (from && to && since >= until) return [{ since: from.getTime(), until: to.getTime() }];
  return [
    ...(from && from.getTime() < since ? [{ since: from.getTime(), until: since }] : []),
    ...(to && until < to.getTime() ? [{ since: until, until: to.getTime() }] : []),
  ];
}

interface CountedDay {
  readonly day: string;
  /** Whether the cube was given up on it. */
  readonly isClosed: boolean;
}

/** One look at the index for each day, however many cells it has; cell 0, of a day that was closed, comes first. */
async function countedDays(tx: Tx, { name }: Cube, { since, until }: Span): Promise<CountedDay[]> {
  const dayBefore = Number.isFinite(since) ? dayOf(since - dayMs) : '-infinity';
  const lastDay = Number.isFinite(until) ? dayOf(until - 1) : 'infinity';
  const next = (after: unknown) => sql`
    select r.day, r.cell from annals.rollup r
    where r.tenant_id = ${tx.tenantId} and r.cube = ${name} and r.day > ${after} and r.day <= ${lastDay}::date
    order by r.day, r.cell limit 1`;
  return tx.query(sql<CountedDay>`
    with recursive counted (day, cell) as (
      (${next(sql`${dayBefore}::date`)})
      union all
      select following.* from counted, lateral (${next(sql`counted.day`)}) as following
    )
    select day::text as day, cell = 0 as "isClosed" from counted`);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function clip(day: string, { since, until }: Span): DayPart {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return {
    day,
    since: Math.max(0, (since - midnight) / quarterMs),
    until: Math.min(quartersADay, (until - midnight) / quarterMs),
  };
}

/** How many activities occurred on these days, by the smallest cube. */
async function countOn(tx: Tx, days: readonly string[]): Promise<number> {
  const [row] = await tx.query(sql<{ count: number | null }>`
    select sum(counts[cardinality(counts)])::float8 as count from annals.rollup
    where tenant_id = ${tx.tenantId} and cube = 'outcome' and day = any(${days}::date[])`);
  return row?.count ?? 0;
}

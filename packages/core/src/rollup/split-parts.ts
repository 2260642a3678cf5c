import type { StatsInput } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { epochMs } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import { type Coverage, type DayPart, toSpan } from './find-coverage.ts';

/** A part of a day that lies within one interval. */
export interface Segment extends DayPart {
  /** When the interval begins, in milliseconds since 1970; null where all are counted as one. */
  readonly fromMs: number | null;
}

export interface SplitCoverage extends Omit<Coverage, 'parts'> {
  readonly segments: readonly Segment[];
}

/**
 * Divide what is covered by interval of the session's time zone.
 *
 * The database itself says to which interval each quarter of an hour belongs, so that it is the same one as for the
 * activities. A quarter within which one interval ends and another begins, as in zones that were once set by the sun,
 * is left to the activities.
 */
export async function splitParts(
  tx: Tx,
  { parts, spans, uncounted }: Coverage,
  interval: StatsInput['interval'],
): Promise<SplitCoverage> {
  if (interval === undefined) {
    return { segments: parts.map((part) => ({ ...part, fromMs: null })), spans, uncounted };
  }
  const rows = await findSegments(tx, parts, interval);
  return {
    segments: rows.filter(({ fromMs }) => fromMs !== null),
    spans: [...spans, ...rows.filter(({ fromMs }) => fromMs === null).map(toSpan)],
    uncounted,
  };
}

/**
 * A day within one interval is one segment. One without a change of the clocks is two, cut where the later begins. What
 * is left is looked at quarter by quarter. `fromMs` is null for a quarter that has more than one interval.
 */
function findSegments(tx: Tx, parts: readonly DayPart[], interval: string): Promise<Segment[]> {
  const label = (time: unknown) => sql`date_trunc(${interval}, ${time})`;
  return tx.query(sql<Segment>`
    with part as materialized (
      select *, ${label(sql`begins`)} as first, ${label(sql`ends - ${millisecond}`)} as last
      from (
        select *, ${timeOf(sql`since`)} as begins, ${timeOf(sql`until`)} as ends
        from unnest(${parts.map(({ day }) => day)}::date[], ${parts.map(({ since }) => since)}::int[],
          ${parts.map(({ until }) => until)}::int[]) as part (day, since, until)
      ) as timed
    ), cut as materialized (
      select *, (extract(epoch from last)::bigint / 900 % 96)::int as at from part
      where first <> last and ${interval} <> 'hour' and extract(epoch from last)::bigint % 900 = 0
        and extract(timezone from begins) = extract(timezone from ends)
    ), quarter as materialized (
      select day, slot, ${label(timeOf(sql`slot`))} as first
      from part, generate_series(since, until - 1) as slot
      where first <> last and day not in (select day from cut)
    ), judged as (
      -- Only where the next begins with another is there anything to see at a quarter's end.
      select day, slot, first, case when next = first then first
        else ${label(sql`${timeOf(sql`slot + 1`)} - ${millisecond}`)} end as last
      from (select *, lead(first) over (partition by day order by slot) as next from quarter) as quarters
    ), numbered as (
      select day, slot, first, first <> last as is_mixed,
        slot - row_number() over (partition by day, first, first <> last order by slot) as run
      from judged
    ), segment as (
      select day, since, until, first as label from part where first = last
      union all select day, since, at, first from cut
      union all select day, at, until, last from cut
      union all
      select day, min(slot), max(slot) + 1, case when not is_mixed then first end
      from numbered group by day, first, is_mixed, run
    )
    select day::text as day, since, until, ${epochMs(sql.ref('label'))} as "fromMs" from segment`);
}

const millisecond = sql`interval '1 millisecond'`;

/** When a quarter of an hour begins. */
function timeOf(slot: unknown): RawBuilder<Date> {
  return sql`(day::timestamp at time zone 'UTC') + (${slot}) * interval '15 minutes'`;
}

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

/** Most days lie within one interval; the others are looked at quarter by quarter. `fromMs` is null for more than one. */
function findSegments(tx: Tx, parts: readonly DayPart[], interval: string): Promise<Segment[]> {
  const label = (time: unknown) => sql`date_trunc(${interval}, ${time})`;
  const lastMs = sql`interval '1 millisecond'`;
  return tx.query(sql<Segment>`
    with part as materialized (
      select *, ${label(timeOf(sql`since`))} as first, ${label(sql`${timeOf(sql`until`)} - ${lastMs}`)} as last
      from unnest(${parts.map(({ day }) => day)}::date[], ${parts.map(({ since }) => since)}::int[],
        ${parts.map(({ until }) => until)}::int[]) as part (day, since, until)
    ), quarter as materialized (
      select day, slot, ${label(timeOf(sql`slot`))} as first
      from part, generate_series(since, until - 1) as slot where part.first <> part.last
    ), judged as (
      -- Only where the next begins with another is there anything to see at a quarter's end.
      select day, slot, first, case when next = first then first
        else ${label(sql`${timeOf(sql`slot + 1`)} - ${lastMs}`)} end as last
      from (select *, lead(first) over (partition by day order by slot) as next from quarter) as quarters
    ), numbered as (
      select day, slot, first, first <> last as is_mixed,
        slot - row_number() over (partition by day, first, first <> last order by slot) as run
      from judged
    )
    select day::text as day, since, until, ${epochMs(sql.ref('first'))} as "fromMs" from part where first = last
    union all
    select day::text, min(slot), max(slot) + 1, case when not is_mixed then ${epochMs(sql.ref('first'))} end
    from numbered group by day, first, is_mixed, run`);
}

/** When a quarter of an hour begins. */
function timeOf(slot: unknown): RawBuilder<Date> {
  return sql`(day::timestamp at time zone 'UTC') + (${slot}) * interval '15 minutes'`;
}

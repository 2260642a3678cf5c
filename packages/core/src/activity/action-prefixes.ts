import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { endOfTime } from './activity-id.ts';
import { fieldColumn } from './columns.ts';
import { within } from './select-rows.ts';
import type { Span } from './spans.ts';
import { strandsMax, type Timeline } from './timelines.ts';
import { type Condition, every } from './where.ts';
import { equalsAny } from './where-field.ts';

/**
 * The timeline with a strand for each action that its prefixes stand for; undefined where those are too many to be
 * merged. An index has the records of one action in order, but not those of several.
 */
export async function expandPrefixes(
  tx: Tx,
  { timeline, span }: { readonly timeline: Timeline; readonly span: Span },
): Promise<Timeline | undefined> {
  const { prefixes = [], ...rest } = timeline;
  const strands = [...timeline.strands];
  for (const prefix of prefixes) {
    for (const action of await actionsOf(tx, { prefix, span })) {
      strands.push(equalsAny(fieldColumn('action'), [action]));
    }
    if (strands.length > strandsMax) return undefined;
  }
  return { ...rest, strands };
}

/** One look at the index for each action, however many records it has. */
async function actionsOf(
  tx: Tx,
  { prefix, span }: { readonly prefix: string; readonly span: Span },
): Promise<string[]> {
  const next = (condition: Condition) => sql`
    (select action from annals.activity
      where ${every([sql`tenant_id = ${tx.tenantId}`, ...within(monthsOf(span)), condition])}
      order by action limit 1)`;
  const begins = sql<boolean>`starts_with(action, ${prefix})`;
  const rows = await tx.query(sql<{ action: string }>`
    with recursive known (action) as (
      ${next(begins)}
      union all
      select ${next(every([begins, sql`action > known.action`]))} from known where known.action is not null
    )
    select action from known where action is not null limit ${strandsMax + 1}`);
  return rows.map(({ action }) => action);
}

/** Whole partitions: for parts of them all their records of an action could have to be passed. */
function monthsOf({ from, to }: Span): Span {
  return {
    ...(from && { from: beginOfMonth(from, 0) }),
    // The month of the last records ends where times do that the database reads.
    ...(to && to < endOfTime && { to: beginOfMonth(to, 1) }),
  };
}

/** Of the month of a moment, or so many later. Unlike `Date.UTC`, which takes the years 0 to 99 for others. */
function beginOfMonth(date: Date, later: number): Date {
  const begin = new Date(0);
  begin.setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + later, 1);
  return begin;
}

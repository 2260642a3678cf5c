import { AnnalsError, type StatsInput, type StatsResult } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { fieldText } from './columns.ts';
import { read, whereSelected } from './read.ts';
import { epochMs } from './row.ts';
import type { Condition } from './where.ts';

/**
 * Counts of the activities that a filter selects, by up to three dimensions and by interval.
 *
 * Order   with `interval` by time, then as without: largest counts first, equal ones by their values.
 * Returns the first `limit` rows; `truncated` when there are more. Intervals without activities have no row.
 * Errors  those of `resolveFilter`; `invalid_input` at `timeZone` for one that the database does not know.
 */
export async function statsActivities({ ctx, input }: Verb<StatsInput>): Promise<StatsResult> {
  const where = whereSelected(ctx, input);
  const rows = await read(ctx, async (tx) => {
    if (input.interval !== undefined) await setTimeZone(tx, input.timeZone);
    return tx.query(groupedCounts(input, where));
  });
  return {
    rows: rows.slice(0, input.limit).map((row) => ({
      ...(row.from_ms !== null && { from: new Date(row.from_ms) }),
      group: Object.fromEntries(input.groupBy.map((name, index) => [name, row[`g${index}`] ?? null])),
      count: row.count,
    })),
    truncated: rows.length > input.limit,
  };
}

interface StatsSqlRow {
  readonly from_ms: number | null;
  readonly count: number;
  readonly [group: `g${number}`]: string | null;
}

function groupedCounts({ groupBy, interval, limit }: StatsInput, where: Condition): RawBuilder<StatsSqlRow> {
  const groups = groupBy.map((_, index) => sql.ref(`g${index}`));
  const values = groupBy.map((name, index) => sql`${fieldText(name)} as ${groups[index]}`);
  const bucket = interval ? [sql`date_trunc(${interval}, occurred_at) as bucket`] : [];
  const from = interval ? epochMs(sql.ref('bucket')) : sql`null::float8`;
  const keys = [...(interval ? [sql.ref('bucket')] : []), ...groups];
  const order = [...(interval ? [sql.ref('bucket')] : []), sql`count desc`, ...groups];
  return sql`
    select ${sql.join([sql`${from} as from_ms`, ...groups, sql.ref('count')])}
    from (
      select ${sql.join([...bucket, ...values, sql`count(*)::float8 as count`])}
      from annals.activity where ${where}
      ${keys.length > 0 ? sql`group by ${sql.join(keys)}` : sql``}
    ) as counts
    order by ${sql.join(order)} limit ${limit + 1}`;
}

/**
 * Intervals begin by the session's time zone, for this transaction. As an argument of `date_trunc` a name
 * such as CET would be read as an abbreviation, which has no daylight saving time.
 */
async function setTimeZone(tx: Tx, timeZone: string): Promise<void> {
  try {
    await tx.query(sql`select set_config('TimeZone', ${timeZone}, true)`);
  } catch (error) {
    if ((error as { code?: unknown }).code !== '22023') throw error;
    throw new AnnalsError(
      { code: 'invalid_input', message: 'is not a time zone that the database knows', path: 'timeZone' },
      { cause: error },
    );
  }
}

import { AnnalsError, type StatsInput, type StatsResult } from '@annals/contract';
import { sql } from 'kysely';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { countBy } from '../rollup/count-by.ts';
import { toEstimate } from '../rollup/to-estimate.ts';
import { read, sightOf } from './read.ts';
import { resolveFilter } from './resolve-filter.ts';

/**
 * Counts of the activities that a filter selects, by up to three dimensions and by interval.
 *
 * Order   with `interval` by time, then as without: largest counts first, equal ones by their values.
 * Returns the first `limit` rows; `truncated` when there are more. Intervals without activities have no row. Exact,
 *         but where no rollup tells and there are too many to count in time: then `estimate` says of which they are.
 * Errors  those of `resolveFilter`; `invalid_input` at `timeZone` for one that the database does not know.
 */
export async function statsActivities({ ctx, input }: Verb<StatsInput>): Promise<StatsResult> {
  const { groupBy, interval, limit } = input;
  const filter = resolveFilter(ctx, input);
  const { rows, sinceMs } = await read(
    ctx,
    async (tx) => {
      if (interval !== undefined) await setTimeZone(tx, input.timeZone);
      return countBy(tx, { filter, sight: sightOf(ctx), groupBy, interval, limit: limit + 1 });
    },
    { snapshot: true },
  );
  return {
    rows: rows.slice(0, limit).map((row) => ({
      ...(row.from_ms !== null && { from: new Date(row.from_ms) }),
      group: Object.fromEntries(groupBy.map((name, index) => [name, row[`g${index}`] ?? null])),
      count: row.count,
    })),
    truncated: rows.length > limit,
    ...toEstimate(sinceMs),
  };
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

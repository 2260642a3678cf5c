import { type CountResult, type Filter, limits } from '@annals/contract';
import { sql } from 'kysely';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { countByRollup } from '../rollup/count-by-rollup.ts';
import { type ScanBounds, scanBounds } from '../rollup/count-by-scan.ts';
import type { CountRequest } from '../rollup/count-request.ts';
import { newestOf } from '../rollup/newest-of.ts';
import { toEstimate } from '../rollup/to-estimate.ts';
import { withinTime } from '../rollup/within-time.ts';
import { read, sightOf } from './read.ts';
import { resolveFilter, type Selection } from './resolve-filter.ts';
import { type Condition, every, whereActivity } from './where.ts';

/**
 * How many activities a filter selects; `countMax` at most, and `capped` when there are more. Where no rollup tells and
 * they are not found in time, `estimate` says among which they were counted.
 */
export async function countActivities({ ctx, input }: Verb<Selection>): Promise<CountResult> {
  const request = { filter: resolveFilter(ctx, input), sight: sightOf(ctx), groupBy: [], limit: 1 };
  const { count, sinceMs } = await read(ctx, (tx) => countUpTo(tx, request), { snapshot: true });
  return {
    count: Math.min(count, limits.countMax),
    capped: count > limits.countMax,
    ...toEstimate(sinceMs),
  };
}

interface CountedUpTo {
  /** Exact up to `countMax`; where it is more, there are more. */
  readonly count: number;
  readonly sinceMs?: number | undefined;
}

async function countUpTo(tx: Tx, request: CountRequest): Promise<CountedUpTo> {
  const [counted] = (await countByRollup(tx, request)) ?? [];
  if (counted) return counted;
  const where = whereActivity(request.filter, request.sight);
  return countFound(tx, { where, range: request.filter });
}

export interface Found {
  /** The activities, and the range of time that they lie in. */
  readonly where: Condition;
  readonly range: Pick<Filter, 'from' | 'to'>;
}

/** Count activities one by one, in a transaction; as `topByScan` where that takes too long. */
export async function countFound(
  tx: Tx,
  { where, range }: Found,
  { timeMs, newestMax }: ScanBounds = scanBounds,
): Promise<CountedUpTo> {
  const count = await withinTime(tx, timeMs, () => countFirst(tx, where));
  if (count !== undefined) return { count };
  const newest = await newestOf(tx, range, newestMax);
  return { count: await countFirst(tx, every([where, newest.where])), sinceMs: newest.sinceMs };
}

async function countFirst(tx: Tx, where: Condition): Promise<number> {
  const [row] = await tx.query(
    sql<{ count: number }>`select count(*)::int as count
      from (select from annals.activity where ${where} limit ${limits.countMax + 1}) as found`,
  );
  return row?.count ?? 0;
}

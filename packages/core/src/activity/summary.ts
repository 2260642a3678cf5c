import type { SummaryInput, SummaryResult } from '@annals/contract';
import { sql } from 'kysely';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { moment } from '../privacy/examine.ts';
import { scanBounds } from '../rollup/count-by-scan.ts';
import { toEstimate } from '../rollup/to-estimate.ts';
import { topByScan } from '../rollup/top-by-scan.ts';
import { withinTime } from '../rollup/within-time.ts';
import { read, sightOf } from './read.ts';
import { resolveFilter } from './resolve-filter.ts';
import { epochMs } from './row.ts';
import { type Condition, every, whereActivity } from './where.ts';

/**
 * One actor at a glance, within what a filter selects: first and last seen, counts by action and outcome,
 * and the targets acted on last.
 *
 * Limits  `limit` actions and targets. An actor without activities has a total of 0, not an error.
 * Returns exact counts, but where there are too many to count in time: then `estimate` says of which they are.
 */
export async function summarizeActor({ ctx, input }: Verb<SummaryInput>): Promise<SummaryResult> {
  const { actor, limit } = input;
  const filter = resolveFilter(ctx, input);
  const sight = sightOf(ctx);
  const where = every([whereActivity(filter, sight), sql`actor_id = ${actor}`]);
  return read(
    ctx,
    async (tx) => {
      const top = await topByScan(tx, { where, range: filter, fields: ['action', 'outcome'], limit });
      const { total, values, sinceMs } = top;
      const counted =
        sinceMs === undefined ? every([where]) : every([where, sql`occurred_at >= ${moment(sinceMs)}`]);
      return {
        actor,
        total,
        ...(await readSpan(tx, where, counted)),
        byAction: [...(values.get('action') ?? [])],
        byOutcome: [...(values.get('outcome') ?? [])] as SummaryResult['byOutcome'],
        recentTargets: await readRecentTargets(tx, counted, limit),
        ...toEstimate(sinceMs),
      };
    },
    { snapshot: true },
  );
}

/** Of all, where they are found in time; else of those that were counted. */
async function readSpan(
  tx: Tx,
  where: Condition,
  counted: Condition,
): Promise<Pick<SummaryResult, 'firstSeen' | 'lastSeen'>> {
  const span = await withinTime(tx, scanBounds.timeMs, () => spanOf(tx, where));
  const { firstMs, lastMs } = span ?? (await spanOf(tx, counted));
  if (firstMs === null || lastMs === null) return {};
  return { firstSeen: new Date(firstMs), lastSeen: new Date(lastMs) };
}

interface SeenSpan {
  readonly firstMs: number | null;
  readonly lastMs: number | null;
}

/** Two looks at the actor's index, however many activities there are. */
async function spanOf(tx: Tx, where: Condition): Promise<SeenSpan> {
  const end = (direction: 'asc' | 'desc') => sql`(
    select ${epochMs(sql.ref('occurred_at'))} from annals.activity where ${where}
    order by occurred_at ${sql.raw(direction)} limit 1)`;
  const [row] = await tx.query(sql<SeenSpan>`select ${end('asc')} as "firstMs", ${end('desc')} as "lastMs"`);
  return row ?? { firstMs: null, lastMs: null };
}

/** A target's label is the one that it was called by last. */
async function readRecentTargets(
  tx: Tx,
  where: Condition,
  limit: number,
): Promise<SummaryResult['recentTargets']> {
  const rows = await tx.query(
    sql<{ type: string; id: string | null; label: string | null; last_ms: number; count: number }>`
      select target_type as type, target_id as id, count(*)::float8 as count,
        (array_agg(target_label order by occurred_at desc, id desc))[1] as label,
        ${epochMs(sql`max(occurred_at)`)} as last_ms
      from annals.activity where ${where} and target_type is not null
      group by target_type, target_id
      order by max(occurred_at) desc, target_type, target_id limit ${limit}`,
  );
  return rows.map(({ type, id, label, last_ms, count }) => ({
    type,
    ...(id !== null && { id }),
    ...(label !== null && { label }),
    lastSeen: new Date(last_ms),
    count,
  }));
}

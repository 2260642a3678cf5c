import type { SummaryInput, SummaryResult } from '@annals/contract';
import { sql } from 'kysely';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { read, whereSelected } from './read.ts';
import { epochMs } from './row.ts';
import { topValues } from './top-values.ts';
import { type Condition, every } from './where.ts';

/**
 * One actor at a glance, within what a filter selects: first and last seen, counts by action and outcome,
 * and the targets acted on last.
 *
 * Limits `limit` actions and targets. An actor without activities has a total of 0, not an error.
 */
export async function summarizeActor({ ctx, input }: Verb<SummaryInput>): Promise<SummaryResult> {
  const where = every([whereSelected(ctx, input), sql`actor_id = ${input.actor}`]);
  const { limit } = input;
  return read(
    ctx,
    async (tx) => ({
      actor: input.actor,
      ...(await readSpan(tx, where)),
      byAction: await tx.query(topValues({ field: 'action', where, limit })),
      byOutcome: (await tx.query(
        topValues({ field: 'outcome', where, limit }),
      )) as SummaryResult['byOutcome'],
      recentTargets: await readRecentTargets(tx, where, limit),
    }),
    { snapshot: true },
  );
}

async function readSpan(
  tx: Tx,
  where: Condition,
): Promise<Pick<SummaryResult, 'total' | 'firstSeen' | 'lastSeen'>> {
  const [span] = await tx.query(
    sql<{ total: number; first_ms: number | null; last_ms: number | null }>`
      select count(*)::float8 as total, ${epochMs(sql`min(occurred_at)`)} as first_ms,
        ${epochMs(sql`max(occurred_at)`)} as last_ms
      from annals.activity where ${where}`,
  );
  if (!span || span.first_ms === null || span.last_ms === null) return { total: 0 };
  return { total: span.total, firstSeen: new Date(span.first_ms), lastSeen: new Date(span.last_ms) };
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

import { sql } from 'kysely';
import type { ActivityRow } from '../activity/row.ts';
import { type Condition, every } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { moment } from '../privacy/examine.ts';
import { walkRows } from '../privacy/walk-rows.ts';
import type { ActiveHolds } from './active-holds.ts';
import type { HeldTally } from './held-tally.ts';

export interface FreeSuspects {
  readonly holds: ActiveHolds;
  /** What is looked for; columns without their table. */
  readonly where: Condition;
  /** Counts what is held of it. */
  readonly held: HeldTally;
}

/**
 * Conditions that select, piece by piece, what a plan looks for, holds can match, and none does.
 *
 * With `where and not canHold` they select just what is free. Only what holds can match is taken out of the
 * database to be looked at.
 */
export async function* freeSuspects(tx: Tx, { holds, where, held }: FreeSuspects): AsyncGenerator<Condition> {
  if (holds.all.length === 0) return;
  for await (const { rows } of walkRows(tx, every([where, holds.canHold]))) {
    const byRecord = await holds.among(rows);
    const free: ActivityRow[] = [];
    for (const row of rows) {
      const by = byRecord.get(String(row['id']));
      if (by) held.add(by);
      else free.push(row);
    }
    const [first, last] = [free.at(0), free.at(-1)];
    if (!first || !last) continue;
    yield sql`(tenant_id = ${tx.tenantId}
      and occurred_at between ${moment(first.occurred_ms)} and ${moment(last.occurred_ms)}
      and id = any(${free.map((row) => row['id'])}::uuid[]))`;
  }
}

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
  /** Milliseconds since 1970 beyond which nothing is looked for; absent: no time. */
  readonly until?: number | undefined;
  /** Counts what is held of it. */
  readonly held: HeldTally;
}

/**
 * Conditions that select, piece by piece, what a plan looks for, holds can match, and none does.
 *
 * With `where and not canHold` they select just what is free. The database itself counts what filters hold; only
 * what can name a person is taken out of it to be looked at.
 */
export async function* freeSuspects(
  tx: Tx,
  { holds, where, until, held }: FreeSuspects,
): AsyncGenerator<Condition> {
  const { filters, canName } = holds;
  await countSelected(tx, { holds, where, held });
  if (!canName) return;
  const byFilter = new Set(filters.map(({ hold }) => hold));
  for await (const { rows } of walkRows(tx, every([where, canName]), until)) {
    const byRecord = await holds.among(rows);
    const free: ActivityRow[] = [];
    for (const row of rows) {
      const by = byRecord.get(String(row['id']));
      if (!by) free.push(row);
      else if (by.some((hold) => byFilter.has(hold))) {
        // Counted already, but for the persons.
        for (const hold of by) if (!byFilter.has(hold)) held.addBy(hold, 1);
      } else held.add(by);
    }
    const [first, last] = [free.at(0), free.at(-1)];
    if (!first || !last) continue;
    yield sql`(tenant_id = ${tx.tenantId}
      and occurred_at between ${moment(first.occurred_ms)} and ${moment(last.occurred_ms)}
      and id = any(${free.map((row) => row['id'])}::uuid[]))`;
  }
}

/** Count what filters hold. */
async function countSelected(
  tx: Tx,
  { holds: { filters }, where, held }: Pick<FreeSuspects, 'holds' | 'where' | 'held'>,
): Promise<void> {
  if (filters.length === 0) return;
  const any = sql.join(
    filters.map((filter) => filter.where),
    sql` or `,
  );
  const each = sql.join(filters.map((filter) => sql`count(*) filter (where ${filter.where})`));
  const [row] = await tx.query(sql<{ counts: number[] }>`
    select array[count(*), ${each}]::float8[] as counts from annals.activity where ${where} and (${any})`);
  const [records = 0, ...byFilter] = row?.counts ?? [];
  held.addRecords(records);
  for (const [at, { hold }] of filters.entries()) held.addBy(hold, byFilter[at] ?? 0);
}

import type { Filter } from '@annals/contract';
import { sql } from 'kysely';
import { epochMs } from '../activity/row.ts';
import { type Condition, whereActivity } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { moment } from '../privacy/examine.ts';

export interface Newest {
  /** Selects them. */
  readonly where: Condition;
  /** Milliseconds since 1970 before which none of them occurred; absent where they are all there are. */
  readonly sinceMs?: number | undefined;
}

/** So many of the newest activities of the tenant within a range of time. */
export async function newestOf(
  tx: Tx,
  { from, to }: Pick<Filter, 'from' | 'to'>,
  count: number,
): Promise<Newest> {
  const range = whereActivity(
    { ...(from && { from }), ...(to && { to }) },
    { tenantId: tx.tenantId, personal: false },
  );
  const [next] = await tx.query(sql<{ at_ms: number }>`
    select ${epochMs(sql.ref('occurred_at'))} as at_ms from annals.activity where ${range}
    order by occurred_at desc, id desc offset ${count} limit 1`);
  if (!next) return { where: sql`true` };
  const sinceMs = next.at_ms + 1;
  return { where: sql`occurred_at >= ${moment(sinceMs)}`, sinceMs };
}

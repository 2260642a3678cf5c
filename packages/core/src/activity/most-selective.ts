import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { within } from './select-rows.ts';
import type { Span } from './spans.ts';
import type { Timeline } from './timelines.ts';
import { every } from './where.ts';

/** Beyond so many records of a span it does not matter how many more there are. */
const countedMax = 1_000;

/**
 * The timeline with the fewest records in a span: counted, in the indexes alone, since the planner's estimates take
 * the parts of a filter for independent of each other, and are of the past.
 */
export async function mostSelective(
  tx: Tx,
  { timelines, span }: { readonly timelines: readonly [Timeline, ...Timeline[]]; readonly span: Span },
): Promise<Timeline> {
  const [first] = timelines;
  if (timelines.length === 1) return first;
  const counts = timelines.map(({ whole }) => {
    const where = every([sql`tenant_id = ${tx.tenantId}`, whole, ...within(span)]);
    return sql`(select count(*)::int from (select from annals.activity where ${where} limit ${countedMax}) as counted)`;
  });
  const [row] = await tx.query(sql<{ counts: number[] }>`select array[${sql.join(counts)}] as counts`);
  const least = Math.min(...(row?.counts ?? []));
  return timelines.find((_, place) => row?.counts[place] === least) ?? first;
}

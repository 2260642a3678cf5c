import { type CountResult, limits } from '@annals/contract';
import { sql } from 'kysely';
import type { Verb } from '../context.ts';
import { read, whereSelected } from './read.ts';
import type { Selection } from './resolve-filter.ts';

/** How many activities a filter selects; `countMax` at most, and `capped` when there are more. */
export async function countActivities({ ctx, input }: Verb<Selection>): Promise<CountResult> {
  const where = whereSelected(ctx, input);
  const [row] = await read(ctx, (tx) =>
    tx.query(
      sql<{ count: number }>`select count(*)::int as count
        from (select from annals.activity where ${where} limit ${limits.countMax + 1}) as found`,
    ),
  );
  const count = row?.count ?? 0;
  return { count: Math.min(count, limits.countMax), capped: count > limits.countMax };
}

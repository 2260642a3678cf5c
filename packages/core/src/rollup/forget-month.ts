import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { removeCells } from './remove-emptied.ts';

/**
 * Forget the counts of a month, as 202601, of which no activity is left: for who took `lockRollups` before it removed
 * them.
 */
export async function forgetMonth(tx: Tx, month: string): Promise<void> {
  const first = `${month.slice(0, 4)}-${month.slice(4)}-01`;
  const rows = await tx.query(sql<{ cell: number }>`
    with gone as (
      delete from annals.rollup
      where tenant_id = ${tx.tenantId}
        and day >= ${first}::date and day < (${first}::date + interval '1 month')::date
      returning cell
    )
    select distinct cell from gone where cell <> 0`);
  await removeCells(
    tx,
    rows.map(({ cell }) => cell),
  );
}

import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { newestLog } from '../log/newest-log.ts';

/** A moment in the tenant's log: the batches that had come by then. */
export interface Looked {
  readonly epoch: number;
  readonly size: number;
  /** Ids of batches that were there, but had no place in the log yet. */
  readonly unsequenced: readonly string[];
}

/** More wait for their place only where nothing sequences; then those beyond count as if they had come later. */
const unsequencedMax = 1_000;

/** What a statement that is begun from now on sees at least. */
export async function lookAt(tx: Tx): Promise<Looked> {
  // First those without a place: between the two statements one can be given to them.
  const rows = await tx.query(sql<{ id: string }>`
    select id from annals.batch where tenant_id = ${tx.tenantId} and first_index is null
    order by id limit ${unsequencedMax}`);
  const log = await newestLog(tx);
  return { epoch: log?.epoch ?? 0, size: log?.size ?? 0, unsequenced: rows.map(({ id }) => id) };
}

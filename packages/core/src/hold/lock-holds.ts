import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';

/**
 * Take the lock between holds and what erases or purges, until the transaction ends: `shared` by every chunk of
 * a job that can remove something, `exclusive` by the creation of a hold.
 *
 * So a hold's creation waits for the chunks in hand, and chunks that begin later see the hold: once it is
 * created, nothing that it matches goes. Each takes it before it touches an activity, so that none waits for
 * the lock with what another needs, and before it reads the holds: later statements of a transaction see what
 * was committed before them (read committed).
 */
export async function lockHolds(tx: Tx, mode: 'shared' | 'exclusive'): Promise<void> {
  // Two tenants whose names hash alike wait for each other, and that is all.
  const key = sql`hashtextextended(${`annals.hold ${tx.tenantId}`}, 0)`;
  await tx.query(
    mode === 'shared'
      ? sql`select pg_advisory_xact_lock_shared(${key})`
      : sql`select pg_advisory_xact_lock(${key})`,
  );
}

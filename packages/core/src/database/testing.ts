import { sql } from 'kysely';
import type { Client } from 'pg';
import type { Database } from './database.ts';

export interface Killing {
  readonly db: Database;
  /** Whether a transaction had so many steps. */
  readonly wasKilled: () => boolean;
}

/**
 * For tests: the database, whose server process is killed before statement `step` of each transaction, counted from
 * 0, or before the commit of one that has so many statements.
 */
export function killedAt(db: Database, { admin, step }: { admin: Client; step: number }): Killing {
  let killed = false;
  const transaction: Database['transaction'] = (tenantId, work, options) =>
    db.transaction(
      tenantId,
      async (tx) => {
        const [backend] = await tx.query(sql<{ pid: number }>`select pg_backend_pid() as pid`);
        let at = 0;
        const killInTime = async () => {
          if (at++ !== step) return;
          killed = true;
          await admin.query('select pg_terminate_backend($1, 5000)', [backend?.pid]);
        };
        const result = await work({
          ...tx,
          query: async (statement) => {
            await killInTime();
            return tx.query(statement);
          },
        });
        await killInTime();
        return result;
      },
      options,
    );
  return { db: { ...db, transaction }, wasKilled: () => killed };
}

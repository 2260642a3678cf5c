import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';

/**
 * Run one statement that reads, for so long at most; undefined when it took longer. The transaction goes on either way.
 *
 * Errors  those of the statement, and its cancellation for another reason.
 */
export async function withinTime<T>(tx: Tx, timeMs: number, work: () => Promise<T>): Promise<T | undefined> {
  const [before] = await tx.query(
    sql<{ timeout: string }>`select current_setting('statement_timeout') as timeout`,
  );
  await tx.query(sql`savepoint within_time`);
  await setTimeout(tx, `${timeMs}`);
  const begunMs = performance.now();
  let result: T;
  try {
    result = await work();
  } catch (error) {
    const isCancelled = (error as { code?: unknown }).code === '57014';
    if (!isCancelled || performance.now() - begunMs < timeMs) throw error;
    await tx.query(sql`rollback to savepoint within_time`);
    return undefined;
  }
  await setTimeout(tx, before?.timeout ?? '0');
  return result;
}

async function setTimeout(tx: Tx, value: string): Promise<void> {
  await tx.query(sql`select set_config('statement_timeout', ${value}, true)`);
}

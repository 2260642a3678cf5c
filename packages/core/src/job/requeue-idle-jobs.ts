import { sql } from 'kysely';
import type { Services } from '../context.ts';

/** A runner touches its job's row many times in this time, unless it waits for the database. */
const idleMs = 10_000;

/**
 * Hand to the workers the jobs of all tenants that should run and whose row nobody has touched for a while:
 * their worker was killed, or the process ended before they were handed over. One that runs after all is left
 * to its runner.
 */
export async function requeueIdleJobs({ db, clock, queue }: Services): Promise<void> {
  const before = new Date(clock.now().getTime() - idleMs).toISOString();
  const idle = await db.query(
    sql<{ tenant_id: string; id: string }>`select * from annals.find_idle_jobs(${before}::timestamptz)`,
  );
  for (const { tenant_id: tenantId, id: jobId } of idle) await queue.enqueue({ tenantId, jobId });
}

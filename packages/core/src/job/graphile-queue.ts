import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { JobQueue } from './queue.ts';

/** The name of the one task in the queue. */
export const runJobTask = 'annals.run_job';

/**
 * The queue in the database. A job that is queued there already is not queued twice; one that a worker has
 * taken is queued anew, so that a worker that was killed, whose message stays locked for hours, holds up
 * nothing.
 */
export function createJobQueue(db: Pick<Database, 'query'>): JobQueue {
  return {
    enqueue: async ({ tenantId, jobId }) => {
      const payload = JSON.stringify({ tenantId, jobId });
      await db.query(sql`select from graphile_worker.add_job(
        ${runJobTask}::text, payload => ${payload}::json, job_key => ${`${tenantId}/${jobId}`}::text)`);
    },
  };
}

/** Delete the messages that nobody will take again: those of killed workers, after another has done their job. */
export async function deleteDeadMessages({ db }: { readonly db: Pick<Database, 'query'> }): Promise<void> {
  await db.query(
    sql`delete from graphile_worker._private_jobs where attempts >= max_attempts and locked_at is null`,
  );
}

import { sql } from 'kysely';
import type { Database } from './database/database.ts';

/** Whether the database answers. */
export async function isReachable(db: Pick<Database, 'query'>): Promise<boolean> {
  try {
    await db.query(sql`select 1`);
    return true;
  } catch {
    return false;
  }
}

/** Messages of the job queue that wait for a worker, and that one works on; for metrics. */
export async function queueDepth(db: Pick<Database, 'query'>): Promise<{ waiting: number; running: number }> {
  const [depth] = await db.query(sql<{ waiting: number; running: number }>`
    select count(*) filter (where locked_at is null)::int as waiting,
      count(*) filter (where locked_at is not null)::int as running
    from graphile_worker.jobs`);
  return depth ?? { waiting: 0, running: 0 };
}

import { sql } from 'kysely';
import type { Services } from '../context.ts';

/** Milliseconds since the oldest batch without a place in its log was recorded; 0 when there is none. */
export async function sequencingLag({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<number> {
  const [oldest] = await db.query(
    sql<{ atMs: number }>`
      select (extract(epoch from oldest) * 1000)::float8 as "atMs" from annals.find_unsequenced(1)`,
  );
  // The processes' clocks need not agree to the millisecond.
  return oldest ? Math.max(0, clock.now().getTime() - oldest.atMs) : 0;
}

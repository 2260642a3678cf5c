import { sql } from 'kysely';
import type { Services } from '../context.ts';

/** Delete the plans of all tenants that expired without being applied; they can name a person. */
export async function deleteExpiredPlans({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<void> {
  await db.query(sql`select annals.delete_expired_plans(${clock.now().toISOString()}::timestamptz)`);
}

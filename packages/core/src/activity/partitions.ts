import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { Database } from '../database/database.ts';

type Months = Map<string, Promise<unknown>>;

/** The months whose partition this process has seen or made. */
const known = new WeakMap<Database, Months>();

/**
 * Make the partitions that activities of these moments need.
 *
 * Called before the transaction that inserts: attaching a partition must not wait for the caller's own locks.
 */
export async function ensurePartitions({ db }: Pick<Services, 'db'>, moments: Iterable<Date>): Promise<void> {
  const months = known.get(db) ?? new Map<string, Promise<unknown>>();
  known.set(db, months);
  for (const month of new Set(Array.from(moments, monthOf))) await ensureMonth(db, months, month);
}

/** For the start and for maintenance: the partitions of the current month and of the `months` after it. */
export async function ensurePartitionsAhead(
  services: Pick<Services, 'db' | 'clock'>,
  months: number,
): Promise<void> {
  const now = services.clock.now();
  const ahead = Array.from(
    { length: months + 1 },
    (_, index) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + index)),
  );
  await ensurePartitions(services, ahead);
}

/**
 * Run `work`, which inserts activities of these moments in a transaction of its own. When a partition was
 * dropped since this process saw it, it is made again and `work` runs once more.
 */
export async function withPartitions<T>(
  services: Pick<Services, 'db'>,
  moments: readonly Date[],
  work: () => Promise<T>,
): Promise<T> {
  await ensurePartitions(services, moments);
  try {
    return await work();
  } catch (error) {
    if (!isPartitionMissing(error)) throw error;
    known.delete(services.db);
    await ensurePartitions(services, moments);
    return await work();
  }
}

/** `activity` has no check constraint, so that this state means one thing. */
function isPartitionMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '23514';
}

function monthOf(moment: Date): string {
  return `${moment.toISOString().slice(0, 7)}-01T00:00:00Z`;
}

async function ensureMonth(db: Database, months: Months, month: string): Promise<void> {
  const made = months.get(month) ?? db.query(sql`select annals.create_activity_partition(${month})`);
  months.set(month, made);
  try {
    await made;
  } catch (error) {
    months.delete(month);
    throw error;
  }
}

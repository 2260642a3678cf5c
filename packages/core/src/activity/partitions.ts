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

interface Timed {
  readonly occurredAt: Date;
}

/** Positions of activities that belong to one partition. */
export interface PartitionRange {
  readonly partition: string;
  /** One of their moments. */
  readonly moment: Date;
  readonly from: number;
  /** The first that is not in it. */
  readonly to: number;
}

/** The partitions of activities that are in the order of their times. */
export function partitionRanges(activities: readonly Timed[]): PartitionRange[] {
  const ranges: PartitionRange[] = [];
  for (let from = 0, to = 0; from < activities.length; from = to) {
    const { occurredAt } = activities[from] as Timed;
    const endMs = Date.UTC(occurredAt.getUTCFullYear(), occurredAt.getUTCMonth() + 1);
    while (to < activities.length && (activities[to] as Timed).occurredAt.getTime() < endMs) to += 1;
    const month = occurredAt.toISOString().slice(0, 7).replace('-', '');
    ranges.push({ partition: `activity_${month}`, moment: occurredAt, from, to });
  }
  return ranges;
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

/** The whole has no such partition, or there is no such table: `activity` has no check constraint. */
const partitionMissing: ReadonlySet<unknown> = new Set(['23514', '42P01']);

function isPartitionMissing(error: unknown): boolean {
  return partitionMissing.has((error as { code?: unknown } | null)?.code);
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

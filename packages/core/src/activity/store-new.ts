import { type Activity, AnnalsError } from '@annals/contract';
import type { Services } from '../context.ts';
import { batchWrite } from './batch-write.ts';
import { type BatchContent, type NewBatch, newBatch, newBatches } from './new-batch.ts';
import { partitionRanges, withPartitions } from './partitions.ts';
import type { NewActivity } from './prepare.ts';
import { IdsTaken, storeBatch } from './store-batch.ts';

/** What became of activities that were to be stored. */
export interface Stored {
  /** What has an id now: a record that was there before, or the activity that was stored. */
  holderOf(id: string): Activity | NewActivity | undefined;
  /** Of those that were stored; undefined where none was. */
  readonly batch?: NewBatch;
}

type Db = Pick<Services, 'db'>;

/**
 * Store activities of some tenants, in one transaction, as a batch for each.
 *
 * Fails, as the driver tells it, when an id is taken: nothing was stored then.
 */
export async function storeAllNew({ db }: Db, contents: readonly BatchContent[]): Promise<Stored[]> {
  const batches = newBatches(contents);
  const writes = batches.map(batchWrite);
  await withPartitions({ db }, batches.flatMap(momentsOf), () => db.write(writes));
  db.signals.notify('annals_batch');
  return batches.map((batch) => ({ holderOf: (id) => storedAs(batch, id), batch }));
}

/** Store those of a tenant's activities whose ids are free. That all are is the common case, so it is tried first. */
export async function storeNew(services: Db, content: BatchContent): Promise<Stored> {
  try {
    const [stored] = await storeAllNew(services, [content]);
    return stored as Stored;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return storeFree(services, content);
  }
}

const attemptsMax = 10;

/** Each further attempt knows more of the ids that are taken, by calls that came before or are racing this one. */
async function storeFree(services: Db, content: BatchContent): Promise<Stored> {
  const taken = new Map<string, Activity>();
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const activities = content.activities.filter(({ id }) => !taken.has(id));
    if (activities.length === 0) return { holderOf: (id) => taken.get(id) };
    const batch = newBatch({ ...content, activities });
    const inTheWay = await tryStore(services, batch);
    if (inTheWay === undefined) return { holderOf: (id) => taken.get(id) ?? storedAs(batch, id), batch };
    for (const activity of inTheWay) taken.set(activity.id, activity);
  }
  throw new AnnalsError({
    code: 'unavailable',
    message: 'the same ids are written and removed at the same time; try again',
  });
}

/** Returns the records that are in the way; undefined when the batch was stored. */
async function tryStore({ db }: Db, batch: NewBatch): Promise<readonly Activity[] | undefined> {
  try {
    await withPartitions({ db }, momentsOf(batch), () =>
      db.transaction(batch.tenantId, (tx) => storeBatch(tx, batch)),
    );
    return undefined;
  } catch (error) {
    if (error instanceof IdsTaken) return error.activities;
    throw error;
  }
}

/** For which partitions are needed. */
function momentsOf({ activities }: NewBatch): Date[] {
  return partitionRanges(activities).map(({ moment }) => moment);
}

function storedAs({ activities, positions }: NewBatch, id: string): NewActivity | undefined {
  return activities[positions.get(id) ?? -1];
}

function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '23505';
}

import { type Activity, AnnalsError } from '@annals/contract';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { encodeBatch } from './copy-activities.ts';
import { type BatchContent, type NewBatch, newBatch } from './new-batch.ts';
import { partitionRanges, withPartitions } from './partitions.ts';
import { copyBatch, IdsTaken, storeBatch } from './store-batch.ts';

/** What became of activities that were to be stored. */
export interface Stored {
  /** The records that hold the ids of those that were not stored. */
  readonly taken: ReadonlyMap<string, Activity>;
  /** Undefined where nothing was stored. */
  readonly batch?: NewBatch;
}

type Db = Pick<Services, 'db'>;

/** Store all whose ids are free, together. That all are free is the common case, so it is tried first. */
export async function storeNew(services: Db, content: BatchContent): Promise<Stored> {
  const none = { taken: new Map() };
  if (content.activities.length === 0) return none;
  const batch = newBatch(content);
  return (await tryCopy(services, batch)) ? { ...none, batch } : storeFree(services, content);
}

/** Whether the batch was stored; if not, some of its ids are taken. */
async function tryCopy(services: Db, batch: NewBatch): Promise<boolean> {
  const parts = encodeBatch(batch);
  try {
    await inTransaction(services, batch, (tx) => copyBatch(tx, batch, parts));
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) return false;
    throw error;
  }
}

const attemptsMax = 10;

/** Each further attempt knows more of the ids that are taken, by calls that came before or are racing this one. */
async function storeFree(services: Db, content: BatchContent): Promise<Stored> {
  const taken = new Map<string, Activity>();
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const activities = content.activities.filter(({ id }) => !taken.has(id));
    if (activities.length === 0) return { taken };
    const batch = newBatch({ ...content, activities });
    const inTheWay = await tryStore(services, batch);
    if (inTheWay === undefined) return { taken, batch };
    for (const activity of inTheWay) taken.set(activity.id, activity);
  }
  throw new AnnalsError({
    code: 'unavailable',
    message: 'the same ids are written and removed at the same time; try again',
  });
}

/** Returns the records that are in the way; undefined when the batch was stored. */
async function tryStore(services: Db, batch: NewBatch): Promise<readonly Activity[] | undefined> {
  try {
    await inTransaction(services, batch, (tx) => storeBatch(tx, batch));
    return undefined;
  } catch (error) {
    if (error instanceof IdsTaken) return error.activities;
    throw error;
  }
}

function inTransaction(services: Db, batch: NewBatch, work: (tx: Tx) => Promise<void>): Promise<void> {
  const moments = partitionRanges(batch.activities).map(({ moment }) => moment);
  return withPartitions(services, moments, () => services.db.transaction(batch.tenantId, work));
}

function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '23505';
}

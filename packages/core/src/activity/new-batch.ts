import { randomFillSync } from 'node:crypto';
import { commitRecords, rootOf, saltBytes, splitHashes } from '@annals/tlog';
import { v7 } from 'uuid';
import type { NewActivity } from './prepare.ts';

/** Activities of one tenant that are stored together, and what the log is to commit to of them. */
export interface NewBatch {
  readonly tenantId: string;
  readonly id: string;
  readonly recordedAt: Date;
  /** Whether Annals itself wrote them. */
  readonly own: boolean;
  /** In the order of their positions, which is that of their ids and so of their times. */
  readonly activities: readonly NewActivity[];
  /** By id. */
  readonly positions: ReadonlyMap<string, number>;
  /** 16 random bytes for each activity; what the salts of its commitments derive from. */
  readonly seeds: Buffer;
  /** The leaf hashes one after the other. */
  readonly leaves: Buffer;
  /** Of the tree of these leaves. */
  readonly root: Buffer;
}

export interface BatchContent {
  readonly tenantId: string;
  /** At least one, each id once. */
  readonly activities: readonly NewActivity[];
  readonly recordedAt: Date;
  readonly own?: boolean;
}

/**
 * Give activities their batch, positions and commitments. Nothing is stored yet: what takes the processor's time is
 * done before a transaction begins.
 *
 * Two batches that hold the same ids wait for each other in the order of ids, so that neither waits for ever.
 */
export function newBatch({ tenantId, recordedAt, own = false, ...content }: BatchContent): NewBatch {
  const activities = content.activities.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const seeds = randomFillSync(Buffer.allocUnsafe(activities.length * saltBytes));
  const records = activities.map((activity) => ({ ...activity, recordedAt, own }));
  const leaves = Buffer.from(commitRecords(records, seeds).buffer);
  const root = Buffer.from(rootOf(splitHashes(leaves)));
  const id = v7({ msecs: recordedAt.getTime() });
  const positions = new Map(activities.map((activity, position) => [activity.id, position]));
  return { tenantId, id, recordedAt, own, activities, positions, seeds, leaves, root };
}

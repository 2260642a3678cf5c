import { randomFillSync } from 'node:crypto';
import { commitRecords, hashBytes, rootOfLeaves, saltBytes } from '@annals/tlog';
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
export function newBatch(content: BatchContent): NewBatch {
  return newBatches([content])[0] as NewBatch;
}

/** As `newBatch`, of several at once: hashing them together costs less, and most of all where each is small. */
export function newBatches(contents: readonly BatchContent[]): NewBatch[] {
  const ordered = contents.map(({ activities }) => activities.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
  const records = contents.flatMap(({ recordedAt, own = false }, at) =>
    (ordered[at] as NewActivity[]).map((activity) => ({ ...activity, recordedAt, own })),
  );
  const seeds = randomFillSync(Buffer.allocUnsafe(records.length * saltBytes));
  const leaves = Buffer.from(commitRecords(records, seeds).buffer);
  let from = 0;
  return contents.map(({ tenantId, recordedAt, own = false }, at) => {
    const activities = ordered[at] as NewActivity[];
    const to = from + activities.length;
    const part = leaves.subarray(from * hashBytes, to * hashBytes);
    const batch = {
      tenantId,
      id: v7({ msecs: recordedAt.getTime() }),
      recordedAt,
      own,
      activities,
      positions: new Map(activities.map(({ id }, position) => [id, position])),
      seeds: seeds.subarray(from * saltBytes, to * saltBytes),
      leaves: part,
      root: Buffer.from(rootOfLeaves(part)),
    };
    from = to;
    return batch;
  });
}

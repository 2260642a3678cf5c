import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { batchesFrom, type LoggedBatch, placeAfter } from './batches-from.ts';
import { claimFollower, moveFollower } from './follower-place.ts';

/** A consumer of the logs of all tenants, which takes each batch once, in the order of its log. */
export interface Follower {
  /** Its rows in `annals.follower`. */
  readonly name: string;
  /** Of one transaction: what it holds in memory, and how long it holds the tenant's place. */
  readonly activitiesMax: number;
  /**
   * Leave a tenant alone until it has so many activities to take, or was left alone for so long; absent where each is
   * to be taken as soon as it can.
   */
  readonly patience?: { readonly activities: number; readonly ms: number };
  /**
   * Take these batches, in the transaction of the custodian that also moves the place. What it does outside that
   * transaction can happen twice.
   */
  readonly take: (tx: Tx, batches: readonly LoggedBatch[]) => Promise<void>;
}

/**
 * Take the next batches of a tenant's log for a follower: one transaction, which is done as a whole or not at all,
 * so that each batch is taken once whatever is killed.
 *
 * Any number of processes may call this at once: one does the work, and nobody waits.
 *
 * Returns how many activities the batches had; there may be more. 0 also when somebody else is at it.
 * Errors  those of `take`; `unavailable`.
 */
export async function followLog(
  { db }: Pick<Services, 'db'>,
  { tenantId, follower }: { readonly tenantId: string; readonly follower: Follower },
): Promise<number> {
  const { name, activitiesMax, take } = follower;
  return db.transaction(
    tenantId,
    async (tx) => {
      const place = await claimFollower(tx, name);
      if (!place) return 0;
      const batches = await batchesFrom(tx, { place, activitiesMax });
      if (batches.length === 0) return 0;
      await take(tx, batches);
      await moveFollower(tx, name, placeAfter(batches, place));
      return batches.reduce((sum, { size }) => sum + size, 0);
    },
    { role: 'custodian' },
  );
}

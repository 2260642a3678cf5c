import type { ActivityInput } from '@annals/contract';
import type { Context, Principal } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { createIdMinter } from './activity-id.ts';
import { newBatch } from './new-batch.ts';
import { ensurePartitions } from './partitions.ts';
import { prepareActivity } from './prepare.ts';
import { storeBatch } from './store-batch.ts';

type WithoutActor<Input> = Input extends unknown ? Omit<Input, 'actor'> : never;

/** An activity of Annals itself; without an actor, the caller's key is the actor. */
export type OwnActivity = WithoutActor<ActivityInput> & { actor?: ActivityInput['actor'] };

/** The actor that a key is in Annals' own records. */
export function keyActor({ keyId, keyName }: Principal): ActivityInput['actor'] {
  return { type: 'integration', id: `key:${keyId}`, label: keyName };
}

/** Make the partition of Annals' own records; to be called before the transaction that calls `recordActivity`. */
export async function ensureRecordPartition(ctx: Pick<Context, 'db' | 'clock'>): Promise<void> {
  const now = ctx.clock.now();
  // The transaction may still run when the month ends.
  await ensurePartitions(ctx, [now, new Date(now.getTime() + 86_400_000)]);
}

/**
 * Append one of Annals' own activities within an open transaction, so that an act and its record are
 * committed together or not at all. It becomes a batch of its own, of the transaction's tenant.
 *
 * Returns its id.
 */
export async function recordActivity(
  tx: Tx,
  ctx: Pick<Context, 'clock' | 'principal' | 'requestId'>,
  activity: OwnActivity,
): Promise<string> {
  const now = ctx.clock.now();
  const prepared = prepareActivity(
    { actor: keyActor(ctx.principal), context: { requestId: ctx.requestId }, ...activity },
    { path: 'activity', tenantId: tx.tenantId, now, mintId: createIdMinter() },
  );
  if ('refused' in prepared) {
    throw new Error(`own activity refused at ${prepared.refused.path}: ${prepared.refused.message}`);
  }
  const { tenantId } = tx;
  await storeBatch(tx, newBatch({ tenantId, activities: [prepared.activity], recordedAt: now, own: true }));
  return prepared.activity.id;
}

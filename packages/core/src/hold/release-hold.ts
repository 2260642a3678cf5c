import { AnnalsError, type Hold, type HoldReleaseInput } from '@annals/contract';
import { LockMode } from '@mikro-orm/core';
import { ensureRecordPartition, keyActor, recordActivity } from '../activity/record-activity.ts';
import type { Verb } from '../context.ts';
import { HoldEntity } from './entity.ts';
import { toHold } from './to-hold.ts';

/**
 * End a hold, and forget what it was over. Releasing it again changes and records nothing.
 *
 * Errors  `not_found`.
 */
export async function releaseHold({ ctx, input }: Verb<HoldReleaseInput>): Promise<Hold> {
  await ensureRecordPartition(ctx);
  return ctx.db.transaction(ctx.tenantId, async (tx) => {
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE };
    const row = await tx.em.findOne(HoldEntity, { id: input.id }, lock);
    if (!row) throw new AnnalsError({ code: 'not_found', message: 'there is no such hold', path: 'id' });
    if (row.releasedAt) return toHold(row, ctx);
    const { over } = row.request;
    row.request = { over };
    row.releasedAt = ctx.clock.now();
    row.releasedBy = keyActor(ctx.principal).id ?? '';
    row.releaseReason = input.reason ?? null;
    await tx.em.flush();
    await recordActivity(tx, ctx, {
      action: 'annals.hold_released',
      operation: 'update',
      target: { type: 'hold', id: row.id },
      metadata: { over },
    });
    return toHold(row, ctx);
  });
}

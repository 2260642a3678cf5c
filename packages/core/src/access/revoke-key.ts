import { AnnalsError, type ApiKey } from '@annals/contract';
import { LockMode } from '@mikro-orm/core';
import { ensureRecordPartition, recordActivity } from '../activity/record-activity.ts';
import type { Verb } from '../context.ts';
import { ApiKeyEntity } from './entity.ts';
import { aboutKey } from './insert-key.ts';
import { toApiKey } from './to-api-key.ts';

/**
 * End a key; the next call with it is refused. Ending it again changes and records nothing.
 *
 * Errors  `not_found`.
 */
export async function revokeKey({ ctx, input }: Verb<{ id: string }>): Promise<ApiKey> {
  await ensureRecordPartition(ctx);
  return ctx.db.transaction(ctx.tenantId, async (tx) => {
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE };
    const row = await tx.em.findOne(ApiKeyEntity, { tenantId: ctx.tenantId, id: input.id }, lock);
    if (!row) throw new AnnalsError({ code: 'not_found', message: 'there is no such key', path: 'id' });
    if (row.revokedAt) return toApiKey(row);
    row.revokedAt = ctx.clock.now();
    await tx.em.flush();
    await recordActivity(tx, ctx, { ...aboutKey(row), action: 'annals.key_revoked', operation: 'delete' });
    return toApiKey(row);
  });
}

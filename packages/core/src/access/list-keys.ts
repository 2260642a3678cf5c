import type { KeyListResult } from '@annals/contract';
import type { Context } from '../context.ts';
import { ApiKeyEntity } from './entity.ts';
import { toApiKey } from './to-api-key.ts';

/** The keys of the tenant, revoked ones included, newest first. */
export async function listKeys({ ctx }: { ctx: Context }): Promise<KeyListResult> {
  return ctx.db.transaction(ctx.tenantId, async (tx) => {
    const rows = await tx.em.find(ApiKeyEntity, {}, { orderBy: { createdAt: 'desc', id: 'asc' } });
    return { keys: rows.map(toApiKey) };
  });
}

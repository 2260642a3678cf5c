import { AnnalsError, type ApiKey } from '@annals/contract';
import type { Context } from '../context.ts';
import { ApiKeyEntity } from './entity.ts';
import { toApiKey } from './to-api-key.ts';

/**
 * The key that makes this call.
 *
 * Errors  `not_found` for a caller that the process trusts without a key, as an operator's command.
 */
export async function currentKey({ ctx }: { ctx: Context }): Promise<ApiKey> {
  return ctx.db.transaction(ctx.principal.tenantId, async (tx) => {
    const row = await tx.em.findOne(ApiKeyEntity, { id: ctx.principal.keyId });
    if (!row) throw new AnnalsError({ code: 'not_found', message: 'this call is made without an API key' });
    return toApiKey(row);
  });
}

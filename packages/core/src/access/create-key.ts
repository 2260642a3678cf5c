import { AnnalsError, type KeyCreateResult } from '@annals/contract';
import { ensureRecordPartition } from '../activity/record-activity.ts';
import { hasScope, type Verb } from '../context.ts';
import { insertKey, type NewKey } from './insert-key.ts';

/**
 * Make an API key of the tenant of the call, or of the deployment where the call is about that.
 *
 * Returns the key and its secret, which is stored as a hash only and shown this once.
 * Errors  `forbidden` for a scope that the caller lacks; `invalid_input` for a key that is born expired.
 */
export async function createKey({ ctx, input }: Verb<NewKey>): Promise<KeyCreateResult> {
  const lacking = input.scopes.filter((scope) => !hasScope(ctx.principal, scope));
  if (lacking.length > 0) {
    const message = `a key cannot give scopes that it lacks: ${lacking.join(', ')}`;
    throw new AnnalsError({ code: 'forbidden', message, path: 'scopes' });
  }
  if (input.expiresAt && input.expiresAt <= ctx.clock.now()) {
    throw new AnnalsError({ code: 'invalid_input', message: 'must lie in the future', path: 'expiresAt' });
  }
  await ensureRecordPartition(ctx);
  return ctx.db.transaction(ctx.tenantId, (tx) => insertKey(tx, ctx, input));
}

import type { KeyCreateResult, Scope } from '@annals/contract';
import { type OwnActivity, recordActivity } from '../activity/record-activity.ts';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { ApiKeyEntity } from './entity.ts';
import { formatKeyToken, hashSecret, keyPrefix, mintKeyToken } from './key-token.ts';
import { toApiKey } from './to-api-key.ts';

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Date | undefined;
}

/** Add a key to the transaction's tenant, and its record: the one is never there without the other. */
export async function insertKey(
  tx: Tx,
  ctx: Pick<Context, 'clock' | 'principal' | 'requestId'>,
  { name, scopes, expiresAt }: NewKey,
): Promise<KeyCreateResult> {
  const token = mintKeyToken();
  const row = tx.em.create(ApiKeyEntity, {
    tenantId: tx.tenantId,
    id: token.id,
    name,
    secretHash: hashSecret(token.secret),
    scopes: [...scopes],
    createdAt: ctx.clock.now(),
    expiresAt: expiresAt ?? null,
    revokedAt: null,
  });
  await tx.em.flush();
  await recordActivity(tx, ctx, {
    ...aboutKey({ id: token.id, name }),
    action: 'annals.key_created',
    operation: 'create',
    metadata: { scopes: [...scopes], ...(expiresAt && { expiresAt: expiresAt.toISOString() }) },
  });
  return { key: toApiKey(row), secret: formatKeyToken(token) };
}

/** The part that every record about a key has. */
export function aboutKey({ id, name }: { id: string; name: string }) {
  return {
    kind: 'activity',
    target: { type: 'api_key', id: keyPrefix(id), label: name },
  } as const satisfies Partial<OwnActivity>;
}

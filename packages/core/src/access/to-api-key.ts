import type { ApiKey } from '@annals/contract';
import type { InferEntity } from '@mikro-orm/core';
import { deploymentTenant } from '../context.ts';
import type { ApiKeyEntity } from './entity.ts';
import { keyPrefix } from './key-token.ts';

/** A stored key as it is shown: never its hash. */
export function toApiKey(row: InferEntity<typeof ApiKeyEntity>): ApiKey {
  return {
    id: row.id,
    prefix: keyPrefix(row.id),
    name: row.name,
    ...(row.tenantId !== deploymentTenant && { tenantId: row.tenantId }),
    scopes: [...row.scopes],
    createdAt: row.createdAt,
    ...(row.expiresAt && { expiresAt: row.expiresAt }),
    ...(row.revokedAt && { revokedAt: row.revokedAt }),
  };
}

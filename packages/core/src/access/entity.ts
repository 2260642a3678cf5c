import type { Scope } from '@annals/contract';
import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';

/** An API key. A key of the deployment stands under `deploymentTenant`, which no tenant can be called. */
export const ApiKeyEntity = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    id: p.text().primary(),
    name: p.text(),
    /** SHA-256 of the secret: 256 random bits need no slow hash. */
    secretHash: p.type('bytea').$type<Buffer>().hidden(),
    scopes: p.type('text[]').$type<Scope[]>(),
    createdAt: p.datetime(3),
    expiresAt: p.datetime(3).nullable(),
    revokedAt: p.datetime(3).nullable(),
  },
  uniques: [{ name: 'api_key_id_unique', properties: ['id'] }],
});

import type { RetentionPolicy } from '@annals/contract';
import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';

/** A retention policy; `rank` orders a tenant's policies, and the first that matches decides. */
export const PolicyEntity = defineEntity({
  name: 'Policy',
  tableName: 'policy',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    name: p.text().primary(),
    rank: p.integer(),
    rule: p.json<RetentionPolicy>(),
  },
});

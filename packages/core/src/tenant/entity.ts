import { defineEntity, p } from '@mikro-orm/core';

/** The isolation boundary. Its own policy is on `id`, written by hand in the first migration's terms. */
export const TenantEntity = defineEntity({
  name: 'Tenant',
  tableName: 'tenant',
  filters: {
    tenant: {
      name: 'tenant',
      cond: (args: { tenantId: string }) => ({ id: args.tenantId }),
      default: true,
      rls: { setting: 'annals.tenant_id' },
    },
  },
  properties: {
    id: p.text().primary(),
    name: p.text(),
    createdAt: p.datetime(3),
  },
});

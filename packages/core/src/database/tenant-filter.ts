/**
 * The one declaration of tenant isolation: MikroORM adds it to every query of an entity that carries it and
 * generates the table's row-level security policy from it, so that the two cannot disagree. Its parameter
 * travels as the session variable `annals.tenant_id`; without it no row is visible and queries fail.
 */
export const tenantFilter = {
  tenant: {
    name: 'tenant',
    cond: (args: { tenantId: string }) => ({ tenantId: args.tenantId }),
    default: true,
    rls: { setting: 'annals.tenant_id' },
  },
} as const;

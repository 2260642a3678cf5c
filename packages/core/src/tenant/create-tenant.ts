import { AnnalsError, type Tenant } from '@annals/contract';
import { ensureRecordPartition } from '../activity/record-activity.ts';
import { deploymentTenant, type Verb } from '../context.ts';
import { ensureTenant } from './ensure-tenant.ts';
import { TenantEntity } from './entity.ts';

/**
 * Make a tenant; its first record is that of its creation.
 *
 * Errors  `forbidden` for a tenant's own key; `invalid_input` at `id` when the id is taken.
 */
export async function createTenant({
  ctx,
  input,
}: Verb<{ id: string; name?: string | undefined }>): Promise<Tenant> {
  if (ctx.principal.tenantId !== deploymentTenant) {
    throw new AnnalsError({ code: 'forbidden', message: "only the deployment's keys make tenants" });
  }
  await ensureRecordPartition(ctx);
  return ctx.db.transaction(input.id, async (tx) => {
    if (!(await ensureTenant(tx, ctx, { id: input.id, name: input.name ?? input.id }))) {
      throw new AnnalsError({ code: 'invalid_input', message: 'is taken by another tenant', path: 'id' });
    }
    const { id, name, createdAt } = await tx.em.findOneOrFail(TenantEntity, input.id);
    return { id, name, createdAt };
  });
}

import type { KeyCreateResult } from '@annals/contract';
import { ensureRecordPartition } from '../activity/record-activity.ts';
import { deploymentTenant, type Principal, type Services } from '../context.ts';
import { ensureTenant } from '../tenant/ensure-tenant.ts';
import { insertKey, type NewKey } from './insert-key.ts';

/**
 * Make a key where there is none yet to make it with: at the start of a process, by whoever runs it. The
 * tenant is created if it is missing; `deploymentTenant` gives a key of the deployment.
 */
export async function bootstrapKey(
  services: Pick<Services, 'db' | 'clock'>,
  { tenantId, ...key }: NewKey & { readonly tenantId: string },
): Promise<KeyCreateResult> {
  const principal: Principal = { keyId: 'start', keyName: 'start', tenantId: deploymentTenant, scopes: [] };
  const ctx = { ...services, principal, requestId: 'start' };
  await ensureRecordPartition(ctx);
  return services.db.transaction(tenantId, async (tx) => {
    if (tenantId !== deploymentTenant) await ensureTenant(tx, ctx, { id: tenantId, name: tenantId });
    return insertKey(tx, ctx, key);
  });
}

import { AnnalsError } from '@annals/contract';
import { deploymentTenant, type Principal, type Services } from '../context.ts';
import type { Database } from '../database/database.ts';
import { TenantEntity } from './entity.ts';

export interface ResolveTenantOptions {
  /** Whether the call changes what a tenant holds: then a key of the deployment must say which. */
  readonly write: boolean;
  readonly tenantId?: string | undefined;
}

/**
 * The tenant that a call is about.
 *
 * A tenant's key   its own tenant, named or not.
 * A deployment key the tenant named; without one the deployment's own, to which nothing is written by hand.
 * Errors           `not_found`, the same for a tenant that is missing and for one that the key may not know of;
 *                  `invalid_input` at `tenantId` for a write that names none.
 */
export async function resolveTenant(
  services: Pick<Services, 'db'>,
  principal: Principal,
  { tenantId, write }: ResolveTenantOptions,
): Promise<string> {
  const own = principal.tenantId;
  if (own !== deploymentTenant) {
    // The database is not asked, so that not even the time taken tells a tenant that exists.
    if (tenantId === undefined || tenantId === own) return own;
    throw tenantNotFound();
  }
  if (tenantId === undefined) {
    if (!write) return own;
    const message = "must name a tenant: the key is the deployment's";
    throw new AnnalsError({ code: 'invalid_input', message, path: 'tenantId' });
  }
  if (!(await tenantExists(services, tenantId))) throw tenantNotFound();
  return tenantId;
}

/** By database, the tenants that were seen: none is ever removed, and no role may. */
const seen = new WeakMap<Database, Set<string>>();
const seenMax = 10_000;

async function tenantExists({ db }: Pick<Services, 'db'>, tenantId: string): Promise<boolean> {
  const known = seen.get(db) ?? new Set();
  seen.set(db, known);
  if (known.has(tenantId)) return true;
  const exists = await db.transaction(
    tenantId,
    async (tx) => (await tx.em.findOne(TenantEntity, tenantId)) !== null,
  );
  if (known.size >= seenMax) known.clear();
  if (exists) known.add(tenantId);
  return exists;
}

function tenantNotFound(): AnnalsError {
  return new AnnalsError({ code: 'not_found', message: 'no such tenant', path: 'tenantId' });
}

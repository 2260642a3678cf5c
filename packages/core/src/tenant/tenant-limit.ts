import { AnnalsError } from '@annals/contract';
import type { Context } from '../context.ts';
import type { Database } from '../database/database.ts';

/** Begins something for the tenant of the call; returns what ends it. Errors  `unavailable`, naming the limit. */
export type Enter = (ctx: Pick<Context, 'db' | 'tenantId'>) => () => void;

/** Bounds how much goes on at once for one tenant on one database in this process; `what` follows the number. */
export function createTenantLimit(limit: number, what: string): Enter {
  const inHand = new WeakMap<Database, Map<string, number>>();
  return ({ db, tenantId }) => {
    const byTenant = inHand.get(db) ?? new Map<string, number>();
    inHand.set(db, byTenant);
    const count = byTenant.get(tenantId) ?? 0;
    if (count >= limit) {
      throw new AnnalsError({ code: 'unavailable', message: `${limit} ${what} already`, limit });
    }
    byTenant.set(tenantId, count + 1);
    return () => {
      const left = (byTenant.get(tenantId) ?? 1) - 1;
      if (left > 0) byTenant.set(tenantId, left);
      else byTenant.delete(tenantId);
    };
  };
}

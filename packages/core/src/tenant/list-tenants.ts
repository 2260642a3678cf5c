import type { Tenant, TenantListResult } from '@annals/contract';
import { sql } from 'kysely';
import { type Context, deploymentTenant } from '../context.ts';

interface TenantRow {
  id: string;
  name: string;
  createdMs: number;
}

/** The tenants that the caller may name, by id: all for a key of the deployment, else its own. */
export async function listTenants({ ctx }: { ctx: Context }): Promise<TenantListResult> {
  const own = ctx.principal.tenantId;
  const columns = sql`id, name, (extract(epoch from created_at) * 1000)::float8 as "createdMs"`;
  // Row-level security lets a transaction see one tenant; all of them only a function of the owner sees.
  const rows =
    own === deploymentTenant
      ? await ctx.db.query(sql<TenantRow>`select ${columns} from annals.list_tenants()`)
      : await ctx.db.transaction(own, (tx) =>
          tx.query(sql<TenantRow>`select ${columns} from annals.tenant where id = ${own}`),
        );
  return { tenants: rows.map(toTenant) };
}

function toTenant({ id, name, createdMs }: TenantRow): Tenant {
  return { id, name, createdAt: new Date(createdMs) };
}

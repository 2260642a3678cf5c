import type { PoliciesResult, RetentionPolicy } from '@annals/contract';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { PolicyEntity } from './entity.ts';

/** The retention policies of the tenant, in the order in which they decide. */
export async function listPolicies({ ctx }: { readonly ctx: Context }): Promise<PoliciesResult> {
  return { policies: await ctx.db.transaction(ctx.tenantId, findPolicies) };
}

export async function findPolicies(tx: Tx): Promise<RetentionPolicy[]> {
  const rows = await tx.em.find(PolicyEntity, {}, { orderBy: { rank: 'asc' } });
  return rows.map(({ rule }) => rule);
}

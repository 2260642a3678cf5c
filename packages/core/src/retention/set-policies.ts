import type { JsonObject, PoliciesInput, PoliciesResult } from '@annals/contract';
import { ensureRecordPartition, recordActivity } from '../activity/record-activity.ts';
import type { Verb } from '../context.ts';
import { PolicyEntity } from './entity.ts';
import { findPolicies } from './list-policies.ts';

/** Replace the retention policies of the tenant. Nothing is purged until a plan is applied. */
export async function setPolicies({ ctx, input }: Verb<PoliciesInput>): Promise<PoliciesResult> {
  const { policies } = input;
  await ensureRecordPartition(ctx);
  await ctx.db.transaction(ctx.tenantId, async (tx) => {
    const before = await findPolicies(tx);
    await tx.em.nativeDelete(PolicyEntity, {});
    await tx.em.insertMany(
      PolicyEntity,
      policies.map((rule, rank) => ({ tenantId: ctx.tenantId, name: rule.name, rank, rule })),
    );
    await recordActivity(tx, ctx, {
      action: 'annals.policies_changed',
      operation: 'update',
      target: { type: 'policies', id: ctx.tenantId },
      metadata: { before: daysByName(before), after: daysByName(policies) },
    });
  });
  return { policies };
}

function daysByName(policies: PoliciesInput['policies']): JsonObject {
  return Object.fromEntries(policies.map(({ name, keepDays }) => [name, keepDays]));
}

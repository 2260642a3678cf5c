import type { Plan } from '@annals/contract';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { activeHolds } from '../hold/active-holds.ts';
import { createPlan } from '../plan/create-plan.ts';
import { type CountOf, createTally } from '../plan/tally.ts';
import { sampleSize } from '../privacy/survey.ts';
import { cutoffsAt, type RetentionRequest } from './expiry.ts';
import { findPolicies } from './list-policies.ts';
import { countExpired, findDroppable, type Group, sampleExpired, surveyExpired } from './survey-expired.ts';

/** Activities a second that a run removes at least, where it cannot drop a whole partition. */
const speed = 20_000;

/** What the tenant's policies would purge now. Nothing is purged. */
export async function planRetention({ ctx }: { readonly ctx: Context }): Promise<Plan> {
  const now = ctx.clock.now();
  const { request, summary } = await ctx.db.transaction(ctx.tenantId, (tx) => survey(tx, now), {
    snapshot: true,
  });
  return createPlan(ctx, { kind: 'retention', request, summary: { ...summary, confirm: ctx.tenantId } });
}

async function survey(tx: Tx, now: Date) {
  const cutoffs = cutoffsAt(await findPolicies(tx), now);
  const request: RetentionRequest = { cutoffs };
  const holds = await activeHolds(tx);
  const { groups, ...held } = await surveyExpired(tx, { cutoffs, recordedUntil: now.getTime(), holds });
  const expired = groups.filter(({ policy }) => policy !== null);
  const dropped = await findDroppable(tx, { groups, cutoffs, holds, now });
  const walked = expired.filter(({ month }) => !dropped.includes(month));
  return {
    request,
    summary: {
      activities: countExpired(expired),
      ...held,
      byField: [],
      byMonth: byMonth(expired),
      byPolicy: cutoffs.map(({ policy }, index) => ({
        name: policy.name,
        count: countExpired(expired.filter((group) => group.policy === index)),
      })),
      partitionsDropped: dropped.map(dashed),
      identifiers: [],
      sampleIds: await sampleExpired(tx, { cutoffs, holds, limit: sampleSize }),
      estimatedSeconds: Math.ceil(countExpired(walked) / speed),
    },
  };
}

/** As 2026-01. */
export function dashed(month: string): string {
  return `${month.slice(0, 4)}-${month.slice(4)}`;
}

function byMonth(groups: readonly Group[]): CountOf[] {
  const tally = createTally();
  for (const { month, count } of groups) tally.add(dashed(month), count);
  return tally.counts().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

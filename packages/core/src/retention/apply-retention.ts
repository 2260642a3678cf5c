import type { ApplyInput, Job } from '@annals/contract';
import type { Verb } from '../context.ts';
import { activeHolds } from '../hold/active-holds.ts';
import { applyPlan } from '../plan/apply-plan.ts';
import type { RetentionRequest } from './expiry.ts';
import { countExpired, surveyExpired } from './survey-expired.ts';

/**
 * Start the job of a retention plan, at the cutoffs fixed by the plan.
 *
 * Errors  as `applyPlan`: `not_found`, `plan_not_open`, `plan_drifted`.
 */
export async function applyRetention(verb: Verb<ApplyInput>): Promise<Job> {
  const recordedUntil = verb.ctx.clock.now().getTime();
  return applyPlan(verb, {
    kind: 'retention',
    recount: async (tx, request) => {
      const { cutoffs } = request as RetentionRequest;
      const holds = await activeHolds(tx);
      return countExpired((await surveyExpired(tx, { cutoffs, recordedUntil, holds })).groups);
    },
  });
}

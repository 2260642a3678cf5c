import type { ApplyInput, Job } from '@annals/contract';
import type { Verb } from '../context.ts';
import { applyPlan } from '../plan/apply-plan.ts';
import { type RedactRequest, readRedactRequest } from './redact-request.ts';
import { surveyRedaction } from './survey-redaction.ts';

/**
 * Start the job of a redact plan.
 *
 * Errors  as `applyPlan`: `not_found`, `plan_not_open`, `plan_drifted`.
 */
export async function applyRedact(verb: Verb<ApplyInput>): Promise<Job> {
  return applyPlan(verb, {
    kind: 'redact',
    recount: async (tx, request) =>
      (await surveyRedaction(tx, readRedactRequest(tx, request as RedactRequest))).activities,
  });
}

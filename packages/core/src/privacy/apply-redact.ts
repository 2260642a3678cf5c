import type { ApplyInput, Job } from '@annals/contract';
import type { Verb } from '../context.ts';
import { applyPlan } from '../plan/apply-plan.ts';
import { countRedacted } from './plan-redact.ts';
import type { RedactRequest } from './redact-request.ts';

/**
 * Start the job of a redact plan.
 *
 * Errors  as `applyPlan`: `not_found`, `plan_not_open`, `plan_drifted`.
 */
export async function applyRedact(verb: Verb<ApplyInput>): Promise<Job> {
  return applyPlan(verb, {
    kind: 'redact',
    recount: (tx, request) => countRedacted(tx, request as RedactRequest),
  });
}

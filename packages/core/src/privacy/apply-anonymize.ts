import type { ApplyInput, Job } from '@annals/contract';
import type { Verb } from '../context.ts';
import { applyPlan } from '../plan/apply-plan.ts';
import { type AnonymizeRequest, createPerson } from './person.ts';
import { survey } from './survey.ts';

/**
 * Start the job of an anonymize plan.
 *
 * Errors  as `applyPlan`: `not_found`, `plan_not_open`, `plan_drifted`.
 */
export async function applyAnonymize(verb: Verb<ApplyInput>): Promise<Job> {
  return applyPlan(verb, {
    kind: 'anonymize',
    recount: async (tx, request) => (await survey(tx, createPerson(request as AnonymizeRequest))).activities,
  });
}

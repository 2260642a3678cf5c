import type { Plan, PlanRedactInput } from '@annals/contract';
import { resolveFilter, seesPersonal } from '../activity/resolve-filter.ts';
import type { Verb } from '../context.ts';
import { createPlan } from '../plan/create-plan.ts';
import { type RedactRequest, readRedactRequest } from './redact-request.ts';
import { surveyRedaction } from './survey-redaction.ts';

/** Activities a second that a run changes at least. */
const speed = 10_000;

/**
 * What erasing chosen fields of the records that a filter selects would change. Nothing is changed.
 *
 * Counts  only records that have a value in any of the fields; Annals' own only when the filter names actions.
 * Errors  `invalid_input` at `fields.<index>` for what is no field; those of a filter.
 */
export async function planRedact({ ctx, input }: Verb<PlanRedactInput>): Promise<Plan> {
  const request: RedactRequest = {
    filter: resolveFilter(ctx, input),
    fields: input.fields,
    personal: seesPersonal(ctx),
  };
  const found = await ctx.db.transaction(
    ctx.tenantId,
    (tx) => surveyRedaction(tx, readRedactRequest(tx, request)),
    { snapshot: true },
  );
  return createPlan(ctx, {
    kind: 'redact',
    request,
    summary: {
      ...found,
      confirm: ctx.tenantId,
      byPolicy: [],
      partitionsDropped: [],
      identifiers: [],
      estimatedSeconds: Math.ceil(found.activities / speed),
    },
  });
}

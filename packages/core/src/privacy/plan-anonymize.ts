import { mask, type Plan, type PlanAnonymizeInput } from '@annals/contract';
import { seesPersonal } from '../activity/resolve-filter.ts';
import type { Verb } from '../context.ts';
import { createPlan } from '../plan/create-plan.ts';
import { type AnonymizeRequest, createPerson, type Person } from './person.ts';
import { type Label, resolvePerson } from './resolve-person.ts';
import { type Survey, survey } from './survey.ts';

/** Activities a second that a run examines at least, twice each. */
const speed = 10_000;

/**
 * What erasing every trace of a person from the tenant would change. Nothing is changed.
 *
 * Looked for  the ids, the identifiers given and, unless told otherwise, the labels of the person's own
 *             records; `identifiers` lists them all, and why one is left alone.
 * Masked      learned labels, without `personal:read`.
 */
export async function planAnonymize({ ctx, input }: Verb<PlanAnonymizeInput>): Promise<Plan> {
  const planned = await ctx.db.transaction(
    ctx.tenantId,
    async (tx) => {
      const { identifiers, labels } = await resolvePerson(tx, input);
      const request: AnonymizeRequest = { mode: input.mode, ids: input.ids, identifiers };
      const person = createPerson(request);
      return { request, labels, person, found: await survey(tx, person) };
    },
    { snapshot: true },
  );
  const { request, found } = planned;
  return createPlan(ctx, {
    kind: 'anonymize',
    request,
    summary: {
      confirm: input.ids[0] ?? '',
      activities: found.activities,
      held: found.held,
      holds: found.holds,
      byField: found.byField,
      byMonth: found.byMonth,
      byPolicy: [],
      partitionsDropped: [],
      identifiers: listIdentifiers(planned, { input, showLearned: seesPersonal(ctx) }),
      sampleIds: [...found.sampleIds],
      estimatedSeconds: Math.ceil((2 * found.examined) / speed),
    },
  });
}

interface Planned {
  readonly labels: readonly Label[];
  readonly person: Person;
  readonly found: Survey;
}

interface Listing {
  readonly input: PlanAnonymizeInput;
  readonly showLearned: boolean;
}

function listIdentifiers(
  { labels, person, found }: Planned,
  { input, showLearned }: Listing,
): Plan['identifiers'] {
  const searched = person.matcher.identifiers;
  const countOf = (value: string) => found.byIdentifier[searched.indexOf(value)] ?? 0;
  const given = [...new Set([...input.ids, ...input.identifiers])];
  return [
    ...given.map((value) => ({
      value,
      origin: 'given' as const,
      activities: countOf(value),
      ...(!searched.includes(value) && { skipped: 'short' as const }),
    })),
    ...labels.map(({ label, skipped }) => ({
      value: showLearned ? label : mask,
      origin: 'learned' as const,
      activities: countOf(label),
      ...(skipped && { skipped }),
    })),
  ];
}

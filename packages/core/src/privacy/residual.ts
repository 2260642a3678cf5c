import type { JsonValue } from '@annals/contract';
import type { Tx } from '../database/database.ts';
import { JobEntity } from '../job/entity.ts';
import { PlanEntity } from '../plan/entity.ts';
import { jsonTexts } from './erase-json.ts';
import type { Person } from './person.ts';

export interface ResidualIn {
  readonly person: Person;
  /** The plan of the run itself, which is emptied in the end. */
  readonly planId: string;
}

/**
 * `plan` or `job` for each other plan and job of the tenant that names the person.
 *
 * Plans that nobody has applied are deleted rather than told of: what they counted is gone, so that applying
 * one would be refused, and the operator's own first look must not be what keeps the person's name.
 */
export async function residualInPlansAndJobs(tx: Tx, { person, planId }: ResidualIn): Promise<string[]> {
  const others = await tx.em.find(PlanEntity, { id: { $ne: planId }, status: { $ne: 'done' } });
  const plans = others.filter(({ request, summary }) => names(person, [request, summary]));
  const open = plans.filter(({ status }) => status === 'open').map(({ id }) => id);
  await tx.em.nativeDelete(PlanEntity, { id: { $in: open }, status: 'open' });
  const jobs = await tx.em.find(JobEntity, { planId: { $ne: planId } });
  return [
    ...plans.filter(({ status }) => status !== 'open').map(() => 'plan'),
    ...jobs.filter(({ cursor, result, error }) => names(person, [cursor, result, error])).map(() => 'job'),
  ];
}

function names({ matcher }: Person, values: readonly unknown[]): boolean {
  // What came from JSON columns is JSON.
  for (const { text } of jsonTexts({ root: '', value: values as JsonValue })) {
    if (matcher.occursIn(text)) return true;
  }
  return false;
}

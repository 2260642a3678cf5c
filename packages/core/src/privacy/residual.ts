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

/** `plan` or `job` for each other plan and job of the tenant that names the person. */
export async function residualInPlansAndJobs(tx: Tx, { person, planId }: ResidualIn): Promise<string[]> {
  const plans = await tx.em.find(PlanEntity, { id: { $ne: planId }, status: { $ne: 'done' } });
  const jobs = await tx.em.find(JobEntity, { planId: { $ne: planId } });
  return [
    ...plans.filter(({ request, summary }) => names(person, [request, summary])).map(() => 'plan'),
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

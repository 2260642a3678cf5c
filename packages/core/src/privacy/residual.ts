import type { JobResult, JsonValue } from '@annals/contract';
import type { Tx } from '../database/database.ts';
import { JobEntity } from '../job/entity.ts';
import { hasEnded } from '../job/to-job.ts';
import { PlanEntity } from '../plan/entity.ts';
import { createTally } from '../plan/tally.ts';
import { withoutPersonalKey } from './anonymize-row.ts';
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
 * one would be refused, and the operator's own first look must not be what keeps the person's name. Of a job
 * only the names of redacted paths can hold any; they are mended once it has ended.
 */
export async function residualInPlansAndJobs(tx: Tx, { person, planId }: ResidualIn): Promise<string[]> {
  const others = await tx.em.find(PlanEntity, { id: { $ne: planId }, status: { $ne: 'done' } });
  const plans = others.filter(({ request, summary }) => names(person, [request, summary]));
  const open = plans.filter(({ status }) => status === 'open').map(({ id }) => id);
  await tx.em.nativeDelete(PlanEntity, { id: { $in: open }, status: 'open' });
  const places = plans.filter(({ status }) => status !== 'open').map(() => 'plan');
  const jobs = await tx.em.find(JobEntity, { planId: { $ne: planId } });
  for (const job of jobs.filter(({ result, cursor, error }) => names(person, [result, cursor, error]))) {
    // One that runs writes its result itself.
    const mended = hasEnded(job) && job.result ? withoutPersonalPaths(job.result, person) : undefined;
    if (mended) await tx.em.nativeUpdate(JobEntity, { id: job.id }, { result: mended });
    if (names(person, [mended ?? job.result, job.cursor, job.error])) places.push('job');
  }
  return places;
}

function withoutPersonalPaths(result: JobResult, { matcher }: Person): JobResult {
  const tally = createTally();
  for (const { name, count } of result.counts) tally.add(withoutPersonalKey(name, matcher.occursIn), count);
  return { ...result, counts: tally.counts() };
}

function names({ matcher }: Person, values: readonly unknown[]): boolean {
  // What came from JSON columns is JSON.
  for (const { text } of jsonTexts({ root: '', value: values as JsonValue })) {
    if (matcher.occursIn(text)) return true;
  }
  return false;
}

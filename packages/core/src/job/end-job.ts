import type { JobResult, JsonObject } from '@annals/contract';
import { type OwnActivity, recordActivity } from '../activity/record-activity.ts';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { PlanEntity } from '../plan/entity.ts';
import { type CountOf, createTally } from '../plan/tally.ts';
import { JobEntity } from './entity.ts';
import { modeOf, ownActions } from './own-actions.ts';
import type { JobRow } from './to-job.ts';

export interface EndJob {
  readonly caller: Pick<Context, 'clock' | 'principal' | 'requestId'>;
  readonly job: JobRow;
  readonly status: 'completed' | 'cancelled';
  /** Absent: the caller's key. */
  readonly actor?: OwnActivity['actor'];
}

/**
 * End a job for good: forget what its plan and its cursor know, and record what it did.
 *
 * The transaction must hold the job's row locked, so that a job ends once.
 */
export async function endJob(tx: Tx, { caller, job, status, actor }: EndJob): Promise<void> {
  const now = caller.clock.now();
  const plan = await tx.em.findOneOrFail(PlanEntity, { id: job.planId });
  const mode = modeOf(plan);
  await tx.em.nativeUpdate(PlanEntity, { id: job.planId }, { status: 'done', request: {}, summary: {} });
  const completedId = await recordActivity(tx, caller, {
    ...(actor && { actor }),
    action: ownActions[job.kind][status],
    target: { type: 'job', id: job.id },
    metadata: {
      jobId: job.id,
      planId: job.planId,
      mode,
      manifests: job.manifestIds ?? [],
      ...(job.result && account(job, job.result)),
    },
  });
  await tx.em.nativeUpdate(
    JobEntity,
    { id: job.id },
    { status, cursor: null, error: null, completedId, updatedAt: now, endedAt: now },
  );
}

/** What the run did, in numbers: names of fields and policies, never a value or a path of somebody's JSON. */
function account(
  { kind }: JobRow,
  { changed, counts, held, partitionsDropped, residual }: JobResult,
): JsonObject {
  return {
    changed,
    held,
    [kind === 'retention' ? 'policies' : 'fields']: countsByRoot(counts),
    ...(partitionsDropped && { partitionsDropped }),
    ...(residual && { residual: { matches: residual.matches, places: countsByRoot(residual.places) } }),
  };
}

function countsByRoot(counts: readonly CountOf[]): JsonObject {
  const tally = createTally();
  for (const { name, count } of counts) tally.add(name.replace(/^(metadata|details)\..*$/s, '$1'), count);
  return Object.fromEntries(tally.counts().map(({ name, count }) => [name, count]));
}

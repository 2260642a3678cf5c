import { setTimeout as delay } from 'node:timers/promises';
import { AnnalsError } from '@annals/contract';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import { withPartitions } from '../activity/partitions.ts';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { activeHolds, holdsToHonour } from '../hold/active-holds.ts';
import { sealAfterRun } from '../manifest/seal-after-run.ts';
import { PlanEntity } from '../plan/entity.ts';
import { describeFailure } from './describe-failure.ts';
import { endJob } from './end-job.ts';
import { JobEntity } from './entity.ts';
import { isAborted } from './is-aborted.ts';
import { hasEnded, type JobRow } from './to-job.ts';
import { works } from './works.ts';

export interface RunJob {
  readonly tenantId: string;
  readonly jobId: string;
  /** Aborting it stops the run after the chunk in hand. */
  readonly signal?: AbortSignal | undefined;
}

/** `busy`: somebody else is at it. `interrupted`: it can go on later, from where it stands. */
export type RunOutcome = 'ended' | 'busy' | 'interrupted';

/**
 * Run a job to its end, chunk by chunk.
 *
 * Each chunk is one transaction of the custodian that holds the job's row and commits its work together with
 * the place it has reached. So each is done exactly once, whatever is killed and however many run the job.
 * What fails for a passing reason is tried again; any other failure marks the job `failed`, and resuming it
 * goes on from the last chunk that was committed.
 */
export async function runJob(services: Services, run: RunJob): Promise<RunOutcome> {
  const { signal } = run;
  let failures = 0;
  while (!isAborted(signal)) {
    try {
      const outcome = await runChunk(services, run);
      if (outcome === 'ended') await sealAfterRun(services, run);
      if (outcome !== 'moved') return outcome;
      failures = 0;
    } catch (error) {
      const pauseMs = isPassing(error) ? pausesMs[failures] : undefined;
      if (pauseMs === undefined) return markFailed(services, run, error);
      failures += 1;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return 'interrupted';
}

/** Before each further try; long enough together for the database to start anew. */
const pausesMs = [20, 100, 500, 2_000, 10_000];

function isPassing(error: unknown): boolean {
  return error instanceof AnnalsError && error.code === 'unavailable';
}

async function runChunk(services: Services, run: RunJob): Promise<'moved' | 'ended' | 'busy'> {
  const { tenantId, jobId } = run;
  return withPartitions(services, [services.clock.now()], () =>
    services.db.transaction(
      tenantId,
      async (tx) => {
        const job = await lockJob(tx, jobId);
        if (job === undefined) return (await jobExists(tx, jobId)) ? 'busy' : 'ended';
        if (hasEnded(job)) return 'ended';
        if (job.cancelRequested) return finish({ services, tx, job, status: 'cancelled' });
        return moveOn({ services, tx, job });
      },
      { role: 'custodian' },
    ),
  );
}

/** Who finds the row locked leaves the job to whoever holds it. */
async function lockJob(tx: Tx, jobId: string): Promise<JobRow | undefined> {
  const lockMode = LockMode.PESSIMISTIC_PARTIAL_WRITE;
  return (await tx.em.findOne(JobEntity, { id: jobId }, { lockMode })) ?? undefined;
}

async function jobExists(tx: Tx, jobId: string): Promise<boolean> {
  return (await tx.em.count(JobEntity, { id: jobId })) > 0;
}

interface Held {
  readonly services: Services;
  readonly tx: Tx;
  readonly job: JobRow;
}

async function moveOn({ services, tx, job }: Held): Promise<'moved' | 'ended'> {
  const { request } = await tx.em.findOneOrFail(PlanEntity, { id: job.planId });
  const { done, total } = job;
  const cursor = job.cursor ?? null;
  const result = job.result ?? { changed: 0, counts: [], held: 0 };
  // The first chunk only makes up its mind, which can take long, and removes nothing.
  const holds = cursor === null ? await activeHolds(tx) : await holdsToHonour(tx);
  const next = await works[job.kind]({ services, tx, job, holds, request, done, total, cursor, result });
  const progress = {
    // Records come and go while the run lasts, so what it meets is not to the last one what it counted.
    done: next.ended ? next.total : Math.min(next.done, next.total),
    total: next.total,
    cursor: next.cursor,
    result: next.result,
    manifestIds: withManifest(job, next.manifestId),
  };
  await tx.em.nativeUpdate(
    JobEntity,
    { id: job.id },
    { ...progress, status: 'running', updatedAt: services.clock.now() },
  );
  return next.ended ? finish({ services, tx, job: { ...job, ...progress }, status: 'completed' }) : 'moved';
}

function withManifest({ manifestIds }: JobRow, id: string | undefined): string[] | null {
  const listed = manifestIds ?? [];
  return id === undefined || listed.includes(id) ? (manifestIds ?? null) : [...listed, id];
}

async function finish({ services, tx, job, status }: Held & { status: 'completed' | 'cancelled' }) {
  const principal = { keyId: 'worker', keyName: 'worker', tenantId: tx.tenantId, scopes: [] };
  await endJob(tx, {
    caller: { clock: services.clock, principal, requestId: job.id },
    actor: { type: 'worker', id: 'annals' },
    job,
    status,
  });
  // The planner's statistics hold samples of what has gone, until they are made anew.
  const partitions = (job.cursor?.months ?? []).map((month) => `activity_${month}`);
  await tx.query(sql`select annals.refresh_activity_statistics(${partitions}::text[])`);
  return 'ended' as const;
}

async function markFailed(services: Services, run: RunJob, error: unknown): Promise<RunOutcome> {
  const { tenantId, jobId } = run;
  services.log.error({ tenantId, jobId, ...describeFailure(error) }, 'job failed');
  const told =
    error instanceof AnnalsError
      ? { code: error.code, message: error.message }
      : {
          code: 'internal' as const,
          message: "the job failed; the server's log says why under the job's id",
        };
  const now = services.clock.now();
  await services.db.transaction(tenantId, (tx) =>
    tx.em.nativeUpdate(
      JobEntity,
      { id: jobId, status: { $in: ['queued', 'running'] } },
      { status: 'failed', error: told, updatedAt: now, endedAt: now },
    ),
  );
  return 'ended';
}

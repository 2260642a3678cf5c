import type { Job, JobInput } from '@annals/contract';
import { ensureRecordPartition } from '../activity/record-activity.ts';
import type { Verb } from '../context.ts';
import { changeJob, jobEnded } from './change-job.ts';
import { endJob } from './end-job.ts';
import { JobEntity } from './entity.ts';

/**
 * Stop a job after the chunk in hand. What it has done stays done; what its plan knows is forgotten.
 *
 * Returns the job: `cancelled` when it was not running, else still `running`, to be cancelled by its worker.
 * Errors  `not_found`, `forbidden`; `job_ended` when it was completed or cancelled before.
 */
export async function cancelJob({ ctx, input }: Verb<JobInput>): Promise<Job> {
  await ensureRecordPartition(ctx);
  return changeJob({ ctx, input }, async (tx, job) => {
    switch (job.status) {
      case 'completed':
      case 'cancelled':
        throw jobEnded(`the job is ${job.status}, so that it cannot be cancelled`);
      case 'queued':
      case 'failed':
        await endJob(tx, { caller: ctx, job, status: 'cancelled' });
        return;
      case 'running':
        await tx.em.nativeUpdate(JobEntity, { id: job.id }, { cancelRequested: true });
    }
  });
}

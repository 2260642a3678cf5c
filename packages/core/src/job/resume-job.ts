import type { Job, JobInput } from '@annals/contract';
import type { Verb } from '../context.ts';
import { changeJob, jobEnded } from './change-job.ts';
import { JobEntity } from './entity.ts';

/**
 * Go on with a failed or interrupted job from its last committed chunk; harmless for one that runs.
 *
 * Errors  `not_found`, `forbidden`; `job_ended` when it was completed or cancelled.
 */
export async function resumeJob({ ctx, input }: Verb<JobInput>): Promise<Job> {
  return changeJob({ ctx, input }, async (tx, job) => {
    if (job.status === 'completed' || job.status === 'cancelled') {
      throw jobEnded(`the job is ${job.status}, so that it cannot be resumed`);
    }
    if (job.status !== 'failed') return;
    await tx.em.nativeUpdate(
      JobEntity,
      { id: job.id },
      { status: 'queued', error: null, endedAt: null, updatedAt: ctx.clock.now() },
    );
  });
}

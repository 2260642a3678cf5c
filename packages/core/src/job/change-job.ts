import { AnnalsError, type Job, type JobInput } from '@annals/contract';
import { LockMode } from '@mikro-orm/core';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { enqueue } from './enqueue.ts';
import { JobEntity } from './entity.ts';
import { requireJobScope } from './job-scope.ts';
import { type JobRow, jobNotFound, toJob } from './to-job.ts';

/**
 * Lock the job, let `change` act on it, and hand it to the workers, who do what is left of it.
 *
 * Errors  `not_found`; `forbidden` without the scope of its kind; what `change` throws.
 */
export async function changeJob(
  { ctx, input }: Verb<JobInput>,
  change: (tx: Tx, job: JobRow) => Promise<void>,
): Promise<Job> {
  const job = await ctx.db.transaction(ctx.tenantId, async (tx) => {
    const row = await tx.em.findOne(JobEntity, { id: input.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!row) throw jobNotFound();
    requireJobScope(ctx.principal, row);
    await change(tx, row);
    return toJob(await tx.em.findOneOrFail(JobEntity, { id: input.id }, { refresh: true }));
  });
  if (job.status === 'queued' || job.status === 'running') await enqueue(ctx, job);
  return job;
}

export function jobEnded(message: string): AnnalsError {
  return new AnnalsError({ code: 'job_ended', message, path: 'id' });
}

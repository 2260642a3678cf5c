import type { Job, JobInput } from '@annals/contract';
import type { Verb } from '../context.ts';
import { JobEntity } from './entity.ts';
import { jobNotFound, toJob } from './to-job.ts';

/** One job of the tenant. Errors `not_found`. */
export async function getJob({ ctx, input }: Verb<JobInput>): Promise<Job> {
  const row = await ctx.db.transaction(ctx.tenantId, (tx) => tx.em.findOne(JobEntity, { id: input.id }));
  if (!row) throw jobNotFound();
  return toJob(row);
}

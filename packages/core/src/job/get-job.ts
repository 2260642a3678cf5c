import type { Job, JobInput } from '@annals/contract';
import type { Verb } from '../context.ts';
import { JobEntity } from './entity.ts';
import { requireJobScope } from './job-scope.ts';
import { jobNotFound, toJob } from './to-job.ts';

/** One job of the tenant. Errors `not_found`; `forbidden` without the scope of its kind. */
export async function getJob({ ctx, input }: Verb<JobInput>): Promise<Job> {
  const row = await ctx.db.transaction(ctx.tenantId, (tx) => tx.em.findOne(JobEntity, { id: input.id }));
  if (!row) throw jobNotFound();
  requireJobScope(ctx.principal, row);
  return toJob(row);
}

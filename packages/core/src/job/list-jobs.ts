import type { JobListInput, JobListResult } from '@annals/contract';
import type { Verb } from '../context.ts';
import { JobEntity } from './entity.ts';
import { visibleKinds } from './job-scope.ts';
import { toJob } from './to-job.ts';

/** The newest jobs of the tenant, of the kinds whose scope the caller has. */
export async function listJobs({ ctx, input }: Verb<JobListInput>): Promise<JobListResult> {
  const rows = await ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.em.find(
      JobEntity,
      { kind: { $in: visibleKinds(ctx.principal) } },
      { orderBy: { createdAt: 'desc', id: 'desc' }, limit: input.limit },
    ),
  );
  return { jobs: rows.map(toJob) };
}

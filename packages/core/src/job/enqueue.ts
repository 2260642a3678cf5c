import type { Job } from '@annals/contract';
import type { Services } from '../context.ts';

/** Hand a committed job to the workers. When that fails, maintenance does it later. */
export async function enqueue({ queue, log }: Services, { tenantId, id }: Job): Promise<void> {
  try {
    await queue.enqueue({ tenantId, jobId: id });
  } catch {
    log.warn({ tenantId, jobId: id }, 'could not hand the job to the workers; it starts later');
  }
}

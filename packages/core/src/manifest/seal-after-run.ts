import type { Services } from '../context.ts';
import { describeFailure } from '../job/describe-failure.ts';
import { JobEntity } from '../job/entity.ts';
import { sealManifest } from './seal-manifest.ts';

/**
 * Seal the manifests of a run that has ended, where they need not wait for others: those of purges, and all
 * when erasures are not mixed. What is not signed yet is sealed once it is (`startSealing`).
 */
export async function sealAfterRun(
  services: Services,
  { tenantId, jobId }: { readonly tenantId: string; readonly jobId: string },
): Promise<void> {
  try {
    const job = await services.db.transaction(tenantId, (tx) => tx.em.findOne(JobEntity, { id: jobId }));
    if (!job || (job.kind !== 'retention' && services.manifestIntervalMs > 0)) return;
    for (const id of job.manifestIds ?? []) await sealManifest(services, { tenantId, id });
  } catch (error) {
    services.log.warn({ tenantId, jobId, ...describeFailure(error) }, 'the manifest is sealed later');
  }
}

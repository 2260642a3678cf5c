import { sql } from 'kysely';
import type { Services } from '../context.ts';
import { describeFailure } from '../job/describe-failure.ts';
import { sealManifest } from './seal-manifest.ts';

/**
 * Seal what is due, of all tenants: erasure manifests once they are older than the interval in which erasures
 * are mixed, purge manifests once their purge is over. One that cannot be sealed does not keep others from it.
 */
export async function sealDueManifests(services: Services): Promise<void> {
  const { db, clock, log, manifestIntervalMs } = services;
  const before = new Date(clock.now().getTime() - manifestIntervalMs).toISOString();
  const due = await db.query(
    sql<{ tenant_id: string; id: string }>`select * from annals.find_open_manifests(${before}::timestamptz)`,
  );
  for (const { tenant_id: tenantId, id } of due) {
    try {
      await sealManifest(services, { tenantId, id });
    } catch (error) {
      log.warn({ tenantId, manifestId: id, ...describeFailure(error) }, 'a manifest is sealed later');
    }
  }
}

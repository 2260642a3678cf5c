import { getCertificate } from '@annals/core';
import { type CertificateOutcome, formatCertificate, parsePolicy, verifyCertificate } from '@annals/tlog';
import { expect } from 'vitest';
import { policyOf, publicKeysOf } from './issued.ts';
import { contextOf, type TenantModel, type World } from './world.ts';

/** What a verifier says of the certificates of the tenant's newest jobs that have ended; none is invalid. */
export async function checkCertificates(
  world: World,
  tenant: TenantModel,
  { by, count }: { readonly by: number; readonly count: number },
): Promise<CertificateOutcome[]> {
  const ctx = contextOf(world, tenant, by);
  const { rows } = await world.admin.query<{ id: string }>(
    `select id from annals.job where tenant_id = $1 and completed_id is not null order by id desc limit $2`,
    [tenant.tenantId, count],
  );
  const policy = parsePolicy(policyOf(tenant.tenantId, await publicKeysOf(world)));
  const outcomes: CertificateOutcome[] = [];
  for (const { id: jobId } of rows) {
    const text = formatCertificate((await getCertificate({ ctx, input: { jobId } })) as never);
    const { outcome, findings } = verifyCertificate({ text, policy, now: world.core.clock.now() });
    expect(findings.filter((finding) => finding.outcome === 'invalid')).toEqual([]);
    outcomes.push(outcome);
  }
  return outcomes;
}

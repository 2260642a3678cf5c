import { exportBundle } from '@annals/core';
import { type BundleReport, verifyAuditBundle } from '@annals/tlog';
import { expect } from 'vitest';
import { policyOf, publicKeysOf } from './issued.ts';
import { contextOf, type TenantModel, type World } from './world.ts';

/** What an auditor says of the tenant's bundle now; undefined where there is none to be had at the moment. */
export async function auditBundle(
  world: World,
  tenant: TenantModel,
  by: number,
): Promise<BundleReport | undefined> {
  const text = await bundleOf(world, tenant, by);
  if (text === undefined) return undefined;
  const report = await verifyAuditBundle([new TextEncoder().encode(text)], {
    policy: policyOf(tenant.tenantId, await publicKeysOf(world)),
    heldCheckpoints: tenant.held.map(({ note }) => note),
    receipts: tenant.receipts,
    now: world.core.clock.now(),
  });
  const codes = report.findings.filter(({ severity }) => severity !== 'notice');
  // The findings first, so that a failure shows them.
  expect(codes.filter(({ severity }) => severity === 'invalid')).toEqual([]);
  expect(report.counts.unexplained).toBe(0);
  for (const { code } of codes) expect(['manifest_open', 'receipt_newer']).toContain(code);
  return report;
}

async function bundleOf(world: World, tenant: TenantModel, by: number): Promise<string | undefined> {
  const parts: string[] = [];
  try {
    await exportBundle({
      ctx: contextOf(world, tenant, by),
      input: { write: async (text) => void parts.push(text), waitMsMax: 0 },
    });
  } catch (error) {
    // Nothing is signed yet, or a request is not.
    expect(['not_found', 'unavailable']).toContain((error as { code?: unknown }).code);
    return undefined;
  }
  return parts.join('');
}

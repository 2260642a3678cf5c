import {
  appendActivities,
  applyAnonymize,
  applyRedact,
  applyRetention,
  type Context,
  getJob,
  planAnonymize,
  planRedact,
  planRetention,
  readSignerKeys,
  runJob,
  setPolicies,
} from '@annals/core';
import { sealDueManifests, signAll, type TestCore } from '@annals/core/testing';
import {
  formatPolicy,
  formatVerifierKey,
  type Receipt,
  readReceipt,
  signingKey,
  verifierKey,
} from '@annals/tlog';
import { expect } from 'vitest';

/** Append activities, all of which must be stored; returns what their caller keeps. */
export async function appendAll(ctx: Context, activities: readonly object[]): Promise<Receipt[]> {
  const { results } = await appendActivities({ ctx, input: { activities } });
  return results.map((result) => {
    if (result.status !== 'stored') throw new Error(`not stored: ${JSON.stringify(result)}`);
    const { batchId, position, leaf, id } = result;
    return readReceipt(JSON.stringify({ tenantId: ctx.tenantId, batchId, position, leaf, id }));
  });
}

export async function redact(ctx: Context, query: string, ...fields: string[]): Promise<void> {
  const { id: planId } = await planRedact({ ctx, input: { query, fields } });
  await runToEnd(ctx, await applyRedact({ ctx, input: { planId, driftMax: 0 } }));
}

export interface Anonymize {
  readonly id: string;
  readonly mode: 'anonymize' | 'pseudonymize';
}

export async function anonymize(ctx: Context, { id, mode }: Anonymize): Promise<void> {
  const input = { ids: [id], identifiers: [], learn: false, except: [], mode };
  const { id: planId } = await planAnonymize({ ctx, input });
  await runToEnd(ctx, await applyAnonymize({ ctx, input: { planId, driftMax: 0 } }));
}

/** Remove activities of an action that occurred before so many days. */
export async function purge(ctx: Context, action: string, keepDays: number): Promise<void> {
  const policies = [{ name: 'old', keepDays, since: 'occurredAt' as const, actions: [action] }];
  await setPolicies({ ctx, input: { policies } });
  const { id: planId } = await planRetention({ ctx });
  await runToEnd(ctx, await applyRetention({ ctx, input: { planId, driftMax: 0 } }));
}

async function runToEnd(ctx: Context, { id }: { readonly id: string }): Promise<void> {
  expect(await runJob(ctx, { tenantId: ctx.tenantId, jobId: id })).toBe('ended');
  expect(await getJob({ ctx, input: { id } })).toMatchObject({ status: 'completed' });
}

/** Let the interval pass in which erasures are mixed, so that all manifests are sealed. */
export async function sealAll(
  core: TestCore,
  log: { readonly tenantId: string; readonly dir: string },
): Promise<void> {
  // Only what is signed is explained.
  await signAll(core, log);
  core.clock.advance(25 * 3_600_000);
  await sealDueManifests(core.services);
}

/** A policy file that trusts all keys of a signer's directory. */
export async function policyOf(dir: string, origin: string): Promise<string> {
  const keys = await readSignerKeys(dir);
  const publicKeys = [...(keys?.active.map(({ publicKey }) => publicKey) ?? []), ...(keys?.retired ?? [])];
  const logs = publicKeys.map((publicKey) => ({
    key: verifierKey({ name: origin, type: 'ed25519', publicKey }),
  }));
  return formatPolicy({ logs, witnesses: [], quorum: { kind: 'none' } });
}

/** A line of a policy file: a witness called `w`, that nobody has asked yet. */
export function aWitness(): string {
  const key = signingKey({ name: 'witness.example', type: 'cosignature', seed: new Uint8Array(32).fill(3) });
  return `witness w ${formatVerifierKey(key)}`;
}

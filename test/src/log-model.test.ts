import { sealDueManifests } from '@annals/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { commitLate } from './log-model/append.ts';
import { auditBundle } from './log-model/bundle.ts';
import { checkCertificates } from './log-model/certificates.ts';
import { issueProofs, seeCheckpoints } from './log-model/issued.ts';
import { openEpoch, signAs } from './log-model/sign.ts';
import { mixing, type Step, steps } from './log-model/steps.ts';
import { takeStep } from './log-model/take-step.ts';
import { contextOf, openWorld, type TenantModel, type World } from './log-model/world.ts';

/** More runs look longer: each is another random sequence. Shrinking a failure takes its time, too. */
const numRuns = Number(process.env['ANNALS_MODEL_RUNS'] ?? 8);
/** Seed and path of a failure, as `1128222371/234`, which fast-check tells. */
const [seed, path] = process.env['ANNALS_MODEL_SEED']?.split('/') ?? [];
const limitMs = Math.max(60_000, numRuns * 15_000);

test(
  'whatever happens to two processes and their tenants, all that was ever issued verifies',
  async () => {
    await fc.assert(fc.asyncProperty(mixing, steps, runModel), {
      numRuns,
      interruptAfterTimeLimit: limitMs,
      ...(seed !== undefined && { seed: Number(seed) }),
      ...(path !== undefined && { path }),
      endOnFailure: process.env['ANNALS_MODEL_SHRINK'] === '0',
    });
  },
  limitMs + 60_000,
);

async function runModel(mixingMs: number, sequence: readonly Step[]): Promise<void> {
  const world = await openWorld(mixingMs);
  try {
    for (const step of sequence) {
      await takeStep(world, step);
      await check(world, step);
    }
    await finish(world);
  } finally {
    await world.close();
  }
}

async function check(world: World, step: Step): Promise<void> {
  for (const tenant of world.tenants) {
    await seeCheckpoints(world, tenant, step.by);
    if (tenant.nth !== step.tenant && step.kind !== 'seal') continue;
    await issueProofs(world, tenant, step.by);
    await checkCertificates(world, tenant, { by: step.by, count: 2 });
    if (await auditBundle(world, tenant, 1 - step.by)) continue;
    // What hinders is only that something is not signed yet.
    await settle(world, tenant, step.by);
    const report = await auditBundle(world, tenant, step.by);
    if (!tenant.restored && tenant.published.length > 0) expect(report).toBeDefined();
  }
}

async function settle(world: World, tenant: TenantModel, by: number): Promise<void> {
  await signAs({ world, tenant }, contextOf(world, tenant, by));
  await seeCheckpoints(world, tenant, by);
}

/** Let all that was begun come to its end: then nothing is pending. */
async function finish(world: World): Promise<void> {
  const on = { by: 0, disturbance: undefined };
  for (const tenant of world.tenants) {
    await commitLate(tenant);
    await openEpoch({ world, tenant }, on);
    await takeStep(world, { kind: 'go on', tenant: tenant.nth as Step['tenant'], ...on });
    await settle(world, tenant, 1);
  }
  for (let round = 0; round < 2; round += 1) {
    world.core.clock.advance(61 * 60_000);
    await sealDueManifests(world.processes[round % 2]?.services ?? expect.fail());
    for (const tenant of world.tenants) await settle(world, tenant, 0);
  }
  const { rows } = await world.admin.query(`select kind, status from annals.job where status <> 'completed'`);
  expect(rows).toEqual([]);
  for (const tenant of world.tenants) {
    await issueProofs(world, tenant, 0);
    const outcomes = await checkCertificates(world, tenant, { by: 1, count: 100 });
    expect(new Set(outcomes)).toEqual(new Set(outcomes.length === 0 ? [] : ['valid']));
    const report = await auditBundle(world, tenant, 0);
    if (tenant.published.length === 0) continue;
    expect(report).toMatchObject({ verdict: 'valid', receipts: { newer: 0, missing: 0 } });
  }
}

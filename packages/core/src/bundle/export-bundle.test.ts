import { anActivity } from '@annals/testkit';
import type { BundleReport } from '@annals/tlog';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listActivities } from '../activity/list.ts';
import { storeAll } from '../activity/testing.ts';
import type { Context } from '../context.ts';
import { runJob } from '../job/run-job.ts';
import { inspect } from '../job/testing.ts';
import { sealDueManifests } from '../manifest/seal-due-manifests.ts';
import { anonymizePerson, purgeBy, redactFields } from '../manifest/testing.ts';
import { applyRedact } from '../privacy/apply-redact.ts';
import { planRedact } from '../privacy/plan-redact.ts';
import { beginEpoch, openTestCore, sequenceAll, type TestCore } from '../testing.ts';
import { exportBundle } from './export-bundle.ts';
import { bundleText, signLogOf, verifyText } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const hourMs = 3_600_000;

/** A tenant with so many activities of several months, all in its signed log. */
async function signedTenant(count: number): Promise<Context> {
  const ctx = core.context();
  const activities = Array.from({ length: count }, (_, at) =>
    anActivity({
      occurredAt: new Date(Date.UTC(2026, at % 5, 10, 0, 0, 0, at)),
      actor: { type: 'user', id: `user_${at % 3}`, label: 'Alice' },
      metadata: { plan: 'pro', user: { email: 'a@example.com' }, n: at },
    }),
  );
  for (let at = 0; at < count; at += 100) await storeAll(ctx, activities.slice(at, at + 100));
  await signLogOf(core, ctx);
  return ctx;
}

async function verify(ctx: Context, afterMs = 0): Promise<BundleReport> {
  const { policy } = await signLogOf(core, ctx);
  const now = new Date(core.clock.now().getTime() + afterMs);
  return verifyText(await bundleText(ctx), { policy, now });
}

describe('a bundle', () => {
  test('of several tiles is valid, and discloses every record', async () => {
    const ctx = await signedTenant(600);
    expect(await verify(ctx)).toMatchObject({
      verdict: 'valid',
      tenantId: ctx.tenantId,
      counts: { disclosed: 600, unexplained: 0 },
      logs: [{ epoch: 1, size: 600, origin: `log.test/${ctx.tenantId}` }],
      findings: [],
    });
  });

  test('covers the newest signed checkpoint, not what came after', async () => {
    const ctx = await signedTenant(10);
    const { policy } = await signLogOf(core, ctx);
    await storeAll(ctx, [anActivity()]);
    const report = await verifyText(await bundleText(ctx), { policy, now: core.clock.now() });
    expect(report).toMatchObject({ verdict: 'valid', counts: { disclosed: 10 } });
  });

  test('explains what was erased and purged, once the manifests are sealed', async () => {
    const ctx = await signedTenant(60);
    await redactFields(ctx, { query: 'actor:user_1', fields: ['metadata.user.email', 'message'] });
    expect(await verify(ctx)).toMatchObject({
      verdict: 'pending',
      counts: { erased: 0, pending: 20, unexplained: 0 },
      findings: [{ code: 'manifest_open', count: 20 }],
    });
    await anonymizePerson(ctx, { id: 'user_1' });
    await purgeBy(ctx, [{ name: 'old', keepDays: 60, since: 'occurredAt', actions: ['invoice.*'] }]);
    core.clock.advance(25 * hourMs);
    await signLogOf(core, ctx);
    await sealDueManifests(core.services);
    const report = await verify(ctx);
    expect(report).toMatchObject({ verdict: 'valid', manifests: { sealed: 2, open: 0 }, findings: [] });
    const { disclosed, erased, purged, pending, unexplained } = report.counts;
    expect({ pending, unexplained }).toEqual({ pending: 0, unexplained: 0 });
    expect(erased).toBeGreaterThan(0);
    expect(purged).toBeGreaterThan(0);
    expect(disclosed + erased + purged).toBe(report.logs[0]?.size);
  });

  test('holds a manifest open for two days after its request, then finds it unexplained', async () => {
    const ctx = await signedTenant(9);
    await redactFields(ctx, { query: 'actor:user_2', fields: ['message'] });
    await signLogOf(core, ctx);
    expect(await verify(ctx, 47 * hourMs)).toMatchObject({ verdict: 'pending' });
    expect(await verify(ctx, 49 * hourMs)).toMatchObject({
      verdict: 'invalid',
      findings: [{ code: 'request_missing', count: 3 }],
    });
  });

  test('holds it open for two days after the end of a run that took long', async () => {
    const ctx = await signedTenant(9);
    const { id: planId } = await planRedact({ ctx, input: { query: 'actor:user_2', fields: ['message'] } });
    const { id: jobId } = await applyRedact({ ctx, input: { planId, driftMax: 0 } });
    await signLogOf(core, ctx);
    core.clock.advance(40 * hourMs);
    expect(await runJob(ctx, { tenantId: ctx.tenantId, jobId })).toBe('ended');
    await signLogOf(core, ctx);
    expect(await verify(ctx, 35 * hourMs)).toMatchObject({ verdict: 'pending' });
    expect(await verify(ctx, 49 * hourMs)).toMatchObject({ verdict: 'invalid' });
  });

  test('is recorded before it is made, and refused while nothing is signed', async () => {
    const ctx = core.context();
    await storeAll(ctx, [anActivity()]);
    const own = () => listActivities({ ctx, input: { order: 'newest', limit: 1, query: 'action:annals.*' } });
    await expect(bundleText(ctx)).rejects.toMatchObject({ code: 'not_found' });
    expect((await own()).activities).toEqual([]);
    await signLogOf(core, ctx);
    await bundleText(ctx);
    expect((await own()).activities).toMatchObject([
      { action: 'annals.exported', metadata: { format: 'bundle' } },
    ]);
  });

  test.each([[['export']], [['personal:read']], [['activities:read', 'privacy', 'admin']]] as const)(
    'is refused to a key with the scopes %j',
    async (scopes) => {
      const ctx = core.context({ principal: { scopes: [...scopes] } });
      await expect(bundleText(ctx)).rejects.toMatchObject({ code: 'forbidden' });
    },
  );

  test('waits for a request that is not signed yet, since what it erases could not be explained', async () => {
    const ctx = await signedTenant(3);
    await redactFields(ctx, { fields: ['message'] });
    await expect(bundleText(ctx)).rejects.toMatchObject({ code: 'unavailable' });
    const bundle = bundleText(ctx, 10_000);
    await signLogOf(core, ctx);
    expect(await bundle).toContain('"type":"end"');
  });

  test('waits for a request that stands in an epoch of which nothing is signed yet', async () => {
    const ctx = await signedTenant(3);
    await beginEpoch(core, ctx.tenantId);
    await redactFields(ctx, { fields: ['message'] });
    await sequenceAll(core, ctx.tenantId);
    await expect(bundleText(ctx)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('is written by two at once, and goes on to fail alone when its reader does', async () => {
    const ctx = await signedTenant(3);
    const gate = Promise.withResolvers<void>();
    const blocked = [1, 2].map(() => exportBundle({ ctx, input: { write: () => gate.promise } }));
    await expect(bundleText(ctx)).rejects.toMatchObject({ code: 'unavailable' });
    gate.resolve();
    await Promise.all(blocked);
    const gone = new Error('the reader went away');
    await expect(exportBundle({ ctx, input: { write: () => Promise.reject(gone) } })).rejects.toThrow();
    expect(await bundleText(ctx)).toContain('"type":"end"');
  });

  test('holds nothing of another tenant', async () => {
    const theirs = await signedTenant(2);
    const ours = await signedTenant(2);
    expect(await bundleText(ours)).not.toContain(`"${theirs.tenantId}"`);
  });
});

describe('what a superuser changes in the database is found:', () => {
  const changes: Record<string, readonly [statement: string, ...codes: string[]]> = {
    'a value': [
      `update annals.activity set message = 'other' where tenant_id = $1 and metadata->>'n' = '5'`,
      'record_mismatch',
    ],
    'a receive time': [
      `update annals.activity set recorded_at = recorded_at + interval '1 s' where tenant_id = $1 and metadata->>'n' = '5'`,
      'record_mismatch',
    ],
    'a deleted record': [
      `delete from annals.activity where tenant_id = $1 and metadata->>'n' = '5'`,
      'index_unexplained',
    ],
    'a seed that was taken away': [
      `update annals.activity set seed = null where tenant_id = $1 and metadata->>'n' = '5'`,
      'record_malformed',
    ],
    'a moved record': [
      `update annals.activity a set position = 99 - a.position from annals.batch b
        where a.tenant_id = $1 and b.tenant_id = $1 and a.batch_id = b.id and b.first_index = 0`,
      'record_mismatch',
    ],
    'a deleted batch': [
      `delete from annals.batch where tenant_id = $1 and first_index = 100`,
      'index_unexplained',
    ],
    'a lost tile': [`delete from annals.tile where tenant_id = $1`, 'bundle_malformed'],
    'another tile': [
      `update annals.tile set hashes = overlay(hashes placing '\\x00'::bytea from 9) where tenant_id = $1 and level = 0`,
      'checkpoint_mismatch',
      'record_mismatch',
    ],
    'a checkpoint without a newer one': [
      `update annals.checkpoint set note = replace(note, '300', '299') where tenant_id = $1`,
      'checkpoint_missing',
      'checkpoint_mismatch',
    ],
  };

  test.each(Object.entries(changes))('%s', async (_, [statement, ...codes]) => {
    const ctx = await signedTenant(300);
    const { policy } = await signLogOf(core, ctx);
    const inspection = await inspect(core);
    await inspection.query(statement, [ctx.tenantId]);
    await inspection.close();
    const report = await verifyText(await bundleText(ctx), { policy, now: core.clock.now() });
    expect(report.verdict).toBe('invalid');
    expect(report.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(codes));
  });
});

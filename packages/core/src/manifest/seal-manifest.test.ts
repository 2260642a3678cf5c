import type { RetentionPolicy } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { encodeBase64, type Manifest, manifestRoot } from '@annals/tlog';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getActivity } from '../activity/get.ts';
import type { Context } from '../context.ts';
import { explainingActions } from '../job/own-actions.ts';
import { seed } from '../job/testing.ts';
import { openTestCore, sequenceAll, signCheckpoint, signCommitted, type TestCore } from '../testing.ts';
import { ManifestEntity } from './entity.ts';
import { listItems } from './list-items.ts';
import { sealDueManifests } from './seal-due-manifests.ts';
import { sealManifest } from './seal-manifest.ts';
import {
  anonymizePerson,
  committedLeaves,
  expectAccounted,
  listed,
  purgeBy,
  redactFields,
  survivors,
} from './testing.ts';

// A database each: whether a month can be dropped depends on all tenants, and so does what is due.
let core: TestCore;
beforeEach(async () => {
  core = await openTestCore();
});
afterEach(() => core.close());

const day = (n: number) => new Date(Date.UTC(2026, 5, n, 12));
const hour = 3_600_000;
/** One at the beginning of each of a month's first days; months count from 0. */
const inMonth = (month: number, days: number) =>
  Array.from({ length: days }, (_, n) => anActivity({ occurredAt: new Date(Date.UTC(2026, month, n + 1)) }));

async function aTenant(count = 3): Promise<Context> {
  const ctx = core.context();
  await seed(
    ctx,
    Array.from({ length: count }, (_, n) => anActivity({ occurredAt: day(1 + n), message: `${n}` })),
  );
  return ctx;
}

const manifests = (ctx: Context) =>
  ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.em.find(ManifestEntity, {}, { orderBy: { openedAt: 'asc', id: 'asc' } }),
  );

const sealed = async (ctx: Context) =>
  (await survivors(ctx))
    .map(({ record }) => record)
    .filter(({ action }) => action === 'annals.manifest_sealed');

describe('an erasure manifest', () => {
  test('gathers what several runs erase, the newest of each record, and is sealed once it is old enough', async () => {
    const ctx = await aTenant();
    await redactFields(ctx, { fields: ['message'] });
    core.clock.advance(2 * hour);
    await redactFields(ctx, { fields: ['actor.label'] });
    await signCommitted(core, ctx.tenantId);
    core.clock.advance(21 * hour);
    await sealDueManifests(core.services);
    expect(await manifests(ctx)).toMatchObject([{ kind: 'erasure', sealedAt: null }]);
    core.clock.advance(1 * hour);
    await sealDueManifests(core.services);
    const [manifest] = await manifests(ctx);
    expect(manifest).toMatchObject({ items: 3, sealedAt: core.clock.now() });
    // Other runs go into a new one.
    await redactFields(ctx, { fields: ['target.label'] });
    expect(await manifests(ctx)).toMatchObject([{ id: manifest?.id }, { sealedAt: null }]);
  });

  test('is sealed by a record of Annals that holds its root, and by one only', async () => {
    const ctx = await aTenant();
    await redactFields(ctx, { fields: ['message'] });
    const id = (await manifests(ctx))[0]?.id ?? '';
    const seal = { tenantId: ctx.tenantId, id };
    expect(await sealManifest(core.services, seal)).toBe('waiting');
    await sequenceAll(core, ctx.tenantId);
    // Its entries could still get other places, in a new epoch.
    expect(await sealManifest(core.services, seal)).toBe('waiting');
    await signCheckpoint(core, ctx.tenantId);
    const outcomes = await Promise.all([1, 2, 3].map(() => sealManifest(core.services, seal)));
    expect(outcomes).toEqual(['sealed', 'sealed', 'sealed']);
    const [manifest] = await manifests(ctx);
    const items = await ctx.db.transaction(ctx.tenantId, async (tx) => {
      const pages: Manifest['items'][number][] = [];
      for await (const page of listItems(tx, { id, kind: 'erasure' })) pages.push(...page);
      return pages;
    });
    const root = manifestRoot({ kind: 'erasure', salt: manifest?.salt, items } as Manifest);
    expect(Buffer.from(manifest?.root ?? [])).toEqual(Buffer.from(root));
    expect(await sealed(ctx)).toMatchObject([
      {
        id: manifest?.activityId,
        own: true,
        target: { type: 'manifest', id },
        metadata: { kind: 'erasure', items: 3, root: encodeBase64(root) },
      },
    ]);
  });

  test('loses nothing to a seal at the same time', async () => {
    const ctx = await aTenant(5);
    const committed = await committedLeaves(ctx);
    await signCommitted(core, ctx.tenantId);
    const sealOpen = async () => {
      const open = (await manifests(ctx)).filter(({ sealedAt }) => !sealedAt);
      // The next one is opened later than these, by the clock too.
      core.clock.advance(1);
      for (const { id } of open) await sealManifest(core.services, { tenantId: ctx.tenantId, id });
    };
    const fields = ['message', 'actor.label', 'target.label', 'context.ip', 'metadata'];
    await Promise.all(
      fields.map(async (field) => {
        await redactFields(ctx, { fields: [field] });
        await sealOpen();
      }),
    );
    for (const [place, leaf] of await committedLeaves(ctx)) committed.set(place, leaf);
    await signCommitted(core, ctx.tenantId);
    await sealOpen();
    for (const [place, leaf] of await committedLeaves(ctx)) committed.set(place, leaf);
    await signCommitted(core, ctx.tenantId);
    await expectAccounted(ctx, committed);
    expect((await manifests(ctx)).every(({ sealedAt }) => sealedAt)).toBe(true);
  });

  test('is sealed at the end of each run where erasures are not mixed', async () => {
    const ctx = await aTenant();
    await signCommitted(core, ctx.tenantId);
    await redactFields({ ...ctx, manifestIntervalMs: 0 }, { fields: ['message'] });
    expect(await sealed(ctx)).toMatchObject([{ metadata: { kind: 'erasure', items: 3 } }]);
  });
});

describe('a purge manifest', () => {
  const all = [{ name: 'all', keepDays: 10, since: 'occurredAt' as const }];

  test('is sealed at the end of its run, as ranges of what was next to each other', async () => {
    const ctx = await aTenant(14);
    await signCommitted(core, ctx.tenantId);
    const job = await purgeBy(ctx, all);
    expect(await listed(ctx)).toMatchObject({ purged: [{ epoch: 1, start: 0, end: 4 }] });
    expect(await sealed(ctx)).toMatchObject([{ metadata: { kind: 'purge', items: 1 } }]);
    const { metadata } = (await survivors(ctx)).find(({ record }) => record.action === 'retention.applied')
      ?.record ?? { metadata: {} };
    expect(metadata).toMatchObject({ jobId: job.id, manifests: [(await manifests(ctx))[0]?.id] });
  });

  test('waits for what is not signed, and is sealed then', async () => {
    const ctx = await aTenant(14);
    await purgeBy(ctx, all);
    expect(await sealed(ctx)).toEqual([]);
    await signCommitted(core, ctx.tenantId);
    await sealDueManifests(core.services);
    expect(await sealed(ctx)).toHaveLength(1);
  });

  test('lists what a dropped partition held, of batches that reach beyond it what stood in it', async () => {
    const ctx = core.context();
    // One within January, one over it and February and June, one that skips January.
    await seed(ctx, inMonth(0, 30));
    await seed(ctx, [...inMonth(0, 3), ...inMonth(1, 2), anActivity({ occurredAt: day(14) })]);
    await seed(ctx, [...inMonth(-1, 2), ...inMonth(1, 2)]);
    const committed = await committedLeaves(ctx);
    await signCommitted(core, ctx.tenantId);
    const job = await purgeBy(ctx, [{ ...all[0], keepDays: 134 } as RetentionPolicy]);
    expect(job.result).toMatchObject({ changed: 37, partitionsDropped: ['2025-12', '2026-01'] });
    expect(await sealed(ctx)).toMatchObject([{ metadata: { kind: 'purge' } }]);
    for (const [place, leaf] of await committedLeaves(ctx)) committed.set(place, leaf);
    await signCommitted(core, ctx.tenantId);
    await expectAccounted(ctx, committed);
  });
});

test('what explains the log is neither erased nor purged, not even by its name; the like of callers is', async () => {
  const ctx = await aTenant();
  await signCommitted(core, ctx.tenantId);
  await redactFields({ ...ctx, manifestIntervalMs: 0 }, { fields: ['message'] });
  const [record] = await sealed(ctx);
  const id = String(record?.id);
  await seed(ctx, [
    anActivity({ action: 'annals.manifest_sealed', actor: { type: 'worker', id: 'annals' } }),
  ]);
  core.clock.advance(400 * 24 * hour);
  const before = await getActivity({ ctx, input: { id } });
  const query = explainingActions.map((action) => `action:${action}`).join(' ');
  const redacted = await redactFields(ctx, { query, fields: ['actor.id', 'metadata', 'target.id'] });
  expect(redacted.result).toMatchObject({ changed: 1 });
  await anonymizePerson(ctx, { id: 'annals' });
  await anonymizePerson(ctx, { id: String(record?.target?.id) });
  const policy = { name: 'all', keepDays: 1, since: 'occurredAt' as const, actions: [...explainingActions] };
  const purged = await purgeBy(ctx, [policy, { ...policy, name: 'annals', actions: ['annals.*'] }]);
  expect(purged.result?.counts).toContainEqual({ name: 'all', count: 1 });
  expect(await getActivity({ ctx, input: { id } })).toEqual(before);
});

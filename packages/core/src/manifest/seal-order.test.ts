import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleText, signLogOf, verifyText } from '../bundle/testing.ts';
import type { Context } from '../context.ts';
import { seed } from '../job/testing.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { sealDueManifests } from './seal-due-manifests.ts';
import { redactFields } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

/** As a process whose clock is behind, or ahead. */
function shifted(ctx: Context, ms: number): Context {
  const clock = { now: () => new Date(core.clock.now().getTime() + ms) };
  return { ...ctx, clock, manifestIntervalMs: 0 };
}

test('manifests are sealed in the order of the log, whatever the clocks of those who seal say', async () => {
  const ctx = core.context();
  await seed(
    ctx,
    Array.from({ length: 5 }, () => anActivity()),
  );
  await signLogOf(core, ctx);
  core.clock.advance(60_000);
  // One after the other, before anything of it is sequenced; each erases more of the same records.
  for (const [at, field] of ['message', 'actor.label', 'target.label', 'context.ip'].entries()) {
    await redactFields(shifted(ctx, -1_500 * at), { fields: [field] });
  }
  const verify = async () => {
    const { policy } = await signLogOf(core, ctx);
    return verifyText(await bundleText(ctx), { policy, now: core.clock.now() });
  };
  expect((await verify()).findings.filter(({ severity }) => severity === 'invalid')).toEqual([]);
  await sealDueManifests(shifted(ctx, 0));
  expect(await verify()).toMatchObject({ verdict: 'valid', findings: [], counts: { erased: 5 } });
});

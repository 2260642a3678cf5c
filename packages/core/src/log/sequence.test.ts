import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendActivities } from '../activity/append.ts';
import { openTestCore, sequenceAll, type TestCore } from '../testing.ts';
import { inclusionProof } from './inclusion-proof.ts';
import { newestLog } from './newest-log.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

test('what was committed gets its place in the log, and proofs of any size can be read from it', async () => {
  const ctx = core.context();
  for (let n = 0; n < 3; n += 1) {
    await appendActivities({ ctx, input: { activities: Array.from({ length: 300 }, () => anActivity()) } });
  }
  expect(await sequenceAll(core, ctx.tenantId)).toBe(900);
  const log = await ctx.db.transaction(ctx.tenantId, newestLog);
  expect(log).toMatchObject({ epoch: 1, size: 900 });
  const proof = await ctx.db.transaction(ctx.tenantId, (tx) =>
    inclusionProof(tx, { epoch: 1, size: 700, index: 3 }),
  );
  expect(proof).toHaveLength(10);
});

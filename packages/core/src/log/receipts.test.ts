import type { LogItem, ProofResult } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import {
  type Checkpoint,
  decodeBase64,
  encodeBase64,
  parseNote,
  parsePolicy,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '@annals/tlog';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendActivities } from '../activity/append.ts';
import { minimal } from '../activity/testing.ts';
import type { Context } from '../context.ts';
import { openTestCore, sequenceAll, signCheckpoint, type TestCore, testPolicy } from '../testing.ts';
import { getTile } from './get-tile.ts';
import { proveActivity } from './prove-activity.ts';
import { proveConsistency } from './prove-consistency.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

type Stored = Extract<LogItem, { status: 'stored' }>;

function checkpointOf(note: string, { tenantId }: Context): Checkpoint {
  return verifyCheckpoint(parseNote(note), parsePolicy(testPolicy(`log.test/${tenantId}`))).checkpoint;
}

function expectIncluded(proof: Pick<ProofResult, 'note' | 'leaf' | 'index' | 'hashes'>, ctx: Context): void {
  verifyInclusion({
    ...checkpointOf(proof.note, ctx),
    index: proof.index,
    leafHash: decodeBase64(proof.leaf),
    proof: proof.hashes.map(decodeBase64),
  });
}

/** All that was ever told about a log. */
interface Told {
  readonly receipts: Stored[];
  readonly proofs: ProofResult[];
  readonly checkpoints: Checkpoint[];
}

/** Whatever was told before is true of the log as it is now. */
async function expectKept(ctx: Context, { receipts, proofs, checkpoints }: Told): Promise<void> {
  const newest = checkpoints.at(-1);
  if (!newest) return;
  for (const { id, leaf } of receipts) {
    const proof = await proveActivity({ ctx, input: { id } }).catch((error: unknown) => error);
    if (proof instanceof Error) {
      expect(proof).toMatchObject({ code: 'not_signed' });
      continue;
    }
    expect((proof as ProofResult).leaf).toBe(leaf);
    expectIncluded(proof as ProofResult, ctx);
    proofs.push(proof as ProofResult);
  }
  for (const from of checkpoints) {
    const { hashes } = await proveConsistency({ ctx, input: { from: from.size } });
    verifyConsistency({ from, to: newest, proof: hashes.map(decodeBase64) });
  }
  for (const proof of proofs) expectIncluded(proof, ctx);
}

test('every receipt, proof and checkpoint stays true, however appends, sequencing and signing fall together', async () => {
  const step = fc.oneof(
    fc.record({ append: fc.integer({ min: 1, max: 90 }) }),
    fc.constant({ sequence: true }),
    fc.constant({ sign: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
      const ctx = core.context();
      const told: Told = { receipts: [], proofs: [], checkpoints: [] };
      let sequenced = 0;
      for (const each of steps) {
        if ('append' in each) {
          const activities = Array.from({ length: each.append }, () => anActivity());
          const { results } = await appendActivities({ ctx, input: { activities } });
          // A few of each are enough to tell, and quick.
          told.receipts.push(...(results.slice(0, 3) as Stored[]));
        } else if ('sequence' in each) {
          sequenced += await sequenceAll(core, ctx.tenantId);
        } else if (sequenced > 0) {
          const { note } = await signCheckpoint(core, ctx.tenantId);
          told.checkpoints.push(checkpointOf(note, ctx));
          await expectKept(ctx, told);
        }
      }
    }),
    { numRuns: 12 },
  );
});

describe('ack: sequenced', () => {
  test('adds to each receipt its place in the log and the proof', async () => {
    const ctx = core.context();
    await appendActivities({ ctx, input: { activities: Array.from({ length: 300 }, () => anActivity()) } });
    await sequenceAll(core, ctx.tenantId);
    // At the same time, so that they share a batch.
    const calls = [10, 1, 29].map((length) => Array.from({ length }, () => anActivity()));
    const appending = Promise.all(
      calls.map((activities) => appendActivities({ ctx, input: { activities, ack: 'sequenced' } })),
    );
    const waiting = { over: false };
    void appending.finally(() => (waiting.over = true));
    while (!waiting.over) {
      await sequenceAll(core, ctx.tenantId);
      await signCheckpoint(core, ctx.tenantId);
    }
    const results = await appending;
    for (const [at, result] of results.entries()) {
      expect(result).toMatchObject({ ack: 'sequenced', stored: calls[at]?.length, batches: [{ size: 40 }] });
      const note = result.batches[0]?.checkpoint ?? '';
      for (const { leaf, index = -1, proof: hashes = [], position } of result.results as Stored[]) {
        expect(index).toBe(300 + position);
        expectIncluded({ note, leaf, index, hashes }, ctx);
      }
    }
    const tile = await getTile({ ctx, input: { path: 'tile/0/001.p/84' } });
    const stored = results.flatMap((result) => result.results as Stored[]);
    const leaves = stored.toSorted((a, b) => a.position - b.position);
    expect(encodeBase64(tile.subarray(44 * 32))).toBe(
      encodeBase64(Buffer.concat(leaves.map(({ leaf }) => decodeBase64(leaf)))),
    );
  });

  test('says that it was only committed, when nobody waits for the rest', async () => {
    const ctx = core.context();
    const append = (activity: unknown) =>
      appendActivities({
        ctx,
        input: { activities: [activity], ack: 'sequenced' },
        signal: AbortSignal.abort(),
      });
    const stored = await append(minimal);
    expect(stored).toMatchObject({ stored: 1, ack: 'committed', batches: [{ size: 1 }] });
    expect(stored.batches[0]).not.toHaveProperty('checkpoint');
    expect(stored.results[0]).not.toHaveProperty('proof');
    expect(await append({ action: 'NO' })).toMatchObject({ refused: 1, ack: 'committed', batches: [] });
  });
});

import type { AnnalsError, ProofResult } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import {
  decodeBase64,
  decodeOpenings,
  type Opening,
  parseNote,
  parsePolicy,
  rebuildEntry,
  verifyCheckpoint,
  verifyInclusion,
} from '@annals/tlog';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getActivity } from '../activity/get.ts';
import { full, minimal, storeAll } from '../activity/testing.ts';
import type { Context } from '../context.ts';
import { openTestCore, sequenceAll, signCheckpoint, type TestCore } from '../testing.ts';
import { proveActivity } from './prove-activity.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

function openingIn({ seed, openings }: ProofResult): Opening {
  if (seed !== undefined) return { seed: decodeBase64(seed) };
  return { openings: decodeOpenings(decodeBase64(openings ?? '')) };
}

/** Check a proof for the activity as the caller reads it; returns the entry that it leads to. */
async function check(ctx: Context, id: string, policy: string) {
  const activity = await getActivity({ ctx, input: { id } });
  const proof = await proveActivity({ ctx, input: { id } });
  const { checkpoint } = verifyCheckpoint(parseNote(proof.note), parsePolicy(policy));
  const entry = rebuildEntry({ ...activity, own: proof.own }, openingIn(proof));
  expect(entry.leaf).toEqual(decodeBase64(proof.leaf));
  expect(proof).toMatchObject({ origin: checkpoint.origin, size: checkpoint.size });
  const { index, hashes } = proof;
  verifyInclusion({ ...checkpoint, index, leafHash: entry.leaf, proof: hashes.map(decodeBase64) });
  return { proof, entry };
}

describe('a proof', () => {
  test('leads from the activity, as it is read, to the signed checkpoint', async () => {
    const ctx = core.context();
    const ids = await storeAll(ctx, [minimal, full, anActivity()]);
    await sequenceAll(core, ctx.tenantId);
    const { policy } = await signCheckpoint(core, ctx.tenantId);
    const indexes = await Promise.all(ids.map(async (id) => (await check(ctx, id, policy)).proof.index));
    expect(new Set(indexes)).toEqual(new Set([0, 1, 2]));
  });

  test('withholds what the reader sees masked, and no salt of it', async () => {
    const ctx = core.context();
    const [id = ''] = await storeAll(ctx, [full]);
    await sequenceAll(core, ctx.tenantId);
    const { policy } = await signCheckpoint(core, ctx.tenantId);
    const masked = core.context({ tenantId: ctx.tenantId, principal: { scopes: ['activities:read'] } });
    const { proof, entry } = await check(masked, id, policy);
    expect(proof.seed).toBeUndefined();
    const withheld = entry.slots.filter(({ state }) => state !== 'open');
    expect(withheld.map(({ state, shown }) => [state, shown?.name])).toEqual(
      ['actor.label', 'subject.id', 'context.ip', 'context.userAgent'].map((name) => ['withheld', name]),
    );
  });

  test('is not there before a checkpoint covers the activity, nor for an id that is not', async () => {
    const ctx = core.context();
    const codeOf = async (id: string) =>
      proveActivity({ ctx, input: { id } }).catch((error: unknown) => (error as AnnalsError).code);
    const [first = ''] = await storeAll(ctx, [minimal]);
    expect(await codeOf(first)).toBe('not_signed');
    await sequenceAll(core, ctx.tenantId);
    expect(await codeOf(first)).toBe('not_signed');
    await signCheckpoint(core, ctx.tenantId);
    expect(await codeOf(first)).toMatchObject({ index: 0, size: 1, hashes: [] });
    const [second = ''] = await storeAll(ctx, [minimal]);
    await sequenceAll(core, ctx.tenantId);
    expect(await codeOf(second)).toBe('not_signed');
    expect(await codeOf('019bc176-0400-7000-8000-000000000000')).toBe('not_found');
  });
});

import { AnnalsError, type ConsistencyInput, type ConsistencyResult } from '@annals/contract';
import { encodeBase64 } from '@annals/tlog';
import { read } from '../activity/read.ts';
import type { Verb } from '../context.ts';
import { consistencyProof } from './consistency-proof.ts';
import { findCheckpoint, originOf } from './find-checkpoint.ts';

/**
 * The proof that the tenant's log of `from` entries is how that of `to` entries begins.
 *
 * Limits  `to` is at most the size of the epoch's newest checkpoint, which it is unless told otherwise; `from` is
 *         at most `to`.
 * Errors  `invalid_input` naming the size and its limit; `not_found` where nothing was signed.
 */
export async function proveConsistency({ ctx, input }: Verb<ConsistencyInput>): Promise<ConsistencyResult> {
  return read(ctx, async (tx) => {
    const newest = await findCheckpoint(tx, { epoch: input.epoch });
    const { epoch } = newest;
    const { from, to = newest.size } = input;
    refuseBeyond(newest.size, { path: 'to', size: to, what: 'the size of the newest checkpoint' });
    refuseBeyond(to, { path: 'from', size: from, what: 'the size that it is compared with' });
    const hashes = await consistencyProof(tx, { epoch, size: to, from });
    return { origin: originOf(newest), epoch, from, to, hashes: hashes.map(encodeBase64) };
  });
}

function refuseBeyond(limit: number, given: { path: string; size: number; what: string }): void {
  if (given.size <= limit) return;
  const message = `must be at most ${limit}, ${given.what}`;
  throw new AnnalsError({ code: 'invalid_input', message, path: given.path, limit });
}

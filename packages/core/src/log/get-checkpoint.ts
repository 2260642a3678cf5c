import type { CheckpointInput, CheckpointResult } from '@annals/contract';
import { encodeBase64 } from '@annals/tlog';
import { read } from '../activity/read.ts';
import type { Verb } from '../context.ts';
import { findCheckpoint, originOf } from './find-checkpoint.ts';

/** The newest signed checkpoint of the tenant's log, or that of an epoch or a size. Errors `not_found`. */
export async function getCheckpoint({ ctx, input }: Verb<CheckpointInput>): Promise<CheckpointResult> {
  const found = await read(ctx, (tx) => findCheckpoint(tx, input));
  const { epoch, size, note, verifierKeys } = found;
  return {
    origin: originOf(found),
    epoch,
    size,
    root: encodeBase64(found.root),
    note,
    signedAt: new Date(found.signedMs),
    verifierKeys,
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { limits } from '@annals/contract';
import { sql } from 'kysely';
import { read } from '../activity/read.ts';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { type Inclusion, readInclusions } from './read-inclusion.ts';

/** A batch that a signed checkpoint covers. */
export interface CoveredBatch {
  readonly note: string;
  /** Of the activity at a position, where that was asked for. */
  inclusionAt(position: number): Inclusion | undefined;
}

export interface AwaitCheckpoint {
  readonly batch: { readonly id: string };
  /** Whose inclusion is asked for: all from the least to the greatest. */
  readonly positions: readonly number[];
  /** Aborting it ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** How often it looks without being woken; and the least time between two looks, which all who wait take. */
const pollMs = 500;
const apartMs = 50;

/**
 * Wait until a signed checkpoint covers a committed batch, for at most `ackWaitMsMax`.
 *
 * Returns undefined when it took longer, when the caller went away, and when the database cannot be read any
 * more: what was stored is stored all the same, and saying otherwise would have it sent again.
 */
export async function awaitCheckpoint(
  ctx: Context,
  { signal, ...covering }: AwaitCheckpoint,
): Promise<CoveredBatch | undefined> {
  const deadline = AbortSignal.timeout(limits.ackWaitMsMax);
  const ended = signal ? AbortSignal.any([signal, deadline]) : deadline;
  let wake = Promise.withResolvers<void>();
  // From before the first look on, so that none is missed.
  const off = ctx.db.signals.on('annals_checkpoint', () => wake.resolve());
  try {
    for (;;) {
      const covered = await read(ctx, (tx) => findCovered(tx, covering));
      if (covered || ended.aborted) return covered;
      await Promise.race([wake.promise, pause(pollMs, ended)]);
      wake = Promise.withResolvers();
      await pause(apartMs, ended);
    }
  } catch {
    ctx.log.warn({ requestId: ctx.requestId }, 'a caller waited for a checkpoint in vain');
    return undefined;
  } finally {
    off();
  }
}

interface CoveredPlace {
  readonly epoch: number;
  readonly index: number;
  readonly size: number;
  readonly note: string;
}

async function findCovered(
  tx: Tx,
  { batch, positions }: Omit<AwaitCheckpoint, 'signal'>,
): Promise<CoveredBatch | undefined> {
  const [place] = await tx.query(sql<CoveredPlace>`
    select b.epoch, b.first_index::float8 as index, newest.size::float8 as size, newest.note
    from annals.batch b
    cross join lateral (
      select c.size, c.note from annals.checkpoint c
      where c.tenant_id = b.tenant_id and c.epoch = b.epoch order by c.size desc limit 1
    ) as newest
    where b.tenant_id = ${tx.tenantId} and b.id = ${batch.id} and b.first_index + b.size <= newest.size`);
  if (!place) return undefined;
  const { note, index, ...tree } = place;
  const first = Math.min(...positions);
  const count = Math.max(...positions) - first + 1;
  const inclusions = await readInclusions(tx, { ...tree, index: index + first, count });
  return { note, inclusionAt: (position) => inclusions[position - first] };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

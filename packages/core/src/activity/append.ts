import { type Ack, type Activity, AnnalsError, type LogItem, type LogResult } from '@annals/contract';
import type { Context, Verb } from '../context.ts';
import { awaitCheckpoint } from '../log/await-checkpoint.ts';
import { createIdMinter } from './activity-id.ts';
import { withPartitions } from './partitions.ts';
import { type NewActivity, prepareActivity } from './prepare.ts';
import { promiseOf, receiptsOf } from './receipts.ts';
import { sameContent } from './same-content.ts';
import { IdsTaken, type NewBatch, storeBatch } from './store-batch.ts';

export interface AppendActivities
  extends Verb<{
    readonly activities: readonly unknown[];
    readonly ack?: Ack | undefined;
  }> {
  /** Aborting it ends the wait for a checkpoint; what is committed by then stays so. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Append activities to the tenant of the call, in one transaction and as one batch.
 *
 * Shape   1 to 1,000 items, each checked on its own: a refused one never loses the others.
 * Returns for each item in order: `stored`; `duplicate` when its id is there with the same content; or
 *         `refused` with code, path (`activities.3.actor.id`), message and limit. The same id with other
 *         content is refused as `id_conflict`. What was stored comes with its receipt.
 * Ack     `sequenced` waits until a signed checkpoint covers the batch, for at most `ackWaitMsMax`, and adds
 *         each activity's proof; the result says which it became.
 * Errors  `unavailable`: nothing was stored, and the call can be made again.
 */
export async function appendActivities({ ctx, input, signal }: AppendActivities): Promise<LogResult> {
  const recordedAt = ctx.clock.now();
  const mintId = createIdMinter();
  const items = input.activities.map((item, index) =>
    prepareActivity(item, {
      path: `activities.${index}`,
      tenantId: ctx.tenantId,
      now: recordedAt,
      mintId,
    }),
  );
  const firsts = firstById(items.flatMap((item) => ('activity' in item ? [item.activity] : [])));
  const { taken, batch } = await storeNew(ctx, [...firsts.values()], recordedAt);
  const covered =
    batch && input.ack === 'sequenced'
      ? await awaitCheckpoint(ctx, { batchId: batch.id, signal })
      : undefined;
  const receiptOf = batch && receiptsOf(batch, covered);
  const results = items.map((item, index): LogItem => {
    if ('refused' in item) return item.refused;
    const { activity } = item;
    const { id, occurredAt } = activity;
    const present = taken.get(id) ?? firsts.get(id);
    const receipt = present === activity && receiptOf?.(id);
    if (receipt) return { status: 'stored', id, occurredAt, recordedAt, ...receipt };
    return present && sameContent(present, activity) ? duplicateItem(activity) : conflictItem(index);
  });
  return {
    results,
    ...countItems(results),
    ack: covered ? 'sequenced' : 'committed',
    batches: batch ? [promiseOf(batch, covered)] : [],
  };
}

function firstById(activities: readonly NewActivity[]): Map<string, NewActivity> {
  const firsts = new Map<string, NewActivity>();
  for (const activity of activities) {
    if (!firsts.has(activity.id)) firsts.set(activity.id, activity);
  }
  return firsts;
}

const attemptsMax = 10;

interface Stored {
  /** The records that hold the other ids. */
  readonly taken: ReadonlyMap<string, Activity>;
  /** Undefined where nothing was stored. */
  readonly batch?: NewBatch;
}

/**
 * Store all whose ids are free, together.
 *
 * That all are free is the common case, so it is tried first. Each further attempt knows more of the ids
 * that are taken, by calls that came before or are racing this one.
 */
async function storeNew(ctx: Context, activities: readonly NewActivity[], recordedAt: Date): Promise<Stored> {
  const taken = new Map<string, Activity>();
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const pending = activities.filter(({ id }) => !taken.has(id));
    if (pending.length === 0) return { taken };
    const tried = await tryStore(ctx, pending, recordedAt);
    if ('batch' in tried) return { taken, batch: tried.batch };
    for (const activity of tried.taken) taken.set(activity.id, activity);
  }
  throw new AnnalsError({
    code: 'unavailable',
    message: 'the same ids are written and removed at the same time; try again',
  });
}

/** All were stored, as one batch; or none was, and these are in the way. */
async function tryStore(
  ctx: Context,
  activities: readonly NewActivity[],
  recordedAt: Date,
): Promise<{ readonly batch: NewBatch } | { readonly taken: readonly Activity[] }> {
  const moments = activities.map(({ occurredAt }) => occurredAt);
  try {
    const batch = await withPartitions(ctx, moments, () =>
      ctx.db.transaction(ctx.tenantId, (tx) => storeBatch(tx, { activities, recordedAt })),
    );
    return { batch };
  } catch (error) {
    if (error instanceof IdsTaken) return { taken: error.activities };
    throw error;
  }
}

function duplicateItem({ id, occurredAt }: NewActivity): LogItem {
  return { status: 'duplicate', id, occurredAt };
}

function conflictItem(index: number): LogItem {
  return {
    status: 'refused',
    code: 'id_conflict',
    message: 'the id is taken by an activity with other content',
    path: `activities.${index}.id`,
  };
}

function countItems(results: readonly LogItem[]): Pick<LogResult, 'stored' | 'duplicates' | 'refused'> {
  const count = (status: LogItem['status']) => results.filter((item) => item.status === status).length;
  return { stored: count('stored'), duplicates: count('duplicate'), refused: count('refused') };
}

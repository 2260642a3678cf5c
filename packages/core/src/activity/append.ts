import type { Ack, LogItem, LogResult } from '@annals/contract';
import type { Verb } from '../context.ts';
import { awaitCheckpoint } from '../log/await-checkpoint.ts';
import { createIdMinter } from './activity-id.ts';
import { type NewActivity, prepareActivity } from './prepare.ts';
import { promiseOf, receiptsOf } from './receipts.ts';
import { sameContent } from './same-content.ts';
import { storeNew } from './store-new.ts';

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
  const { taken, batch } = await storeNew(ctx, {
    tenantId: ctx.tenantId,
    activities: [...firsts.values()],
    recordedAt,
  });
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

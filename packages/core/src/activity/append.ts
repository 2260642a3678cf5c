import type { Ack, LogItem, LogResult } from '@annals/contract';
import type { Context, Verb } from '../context.ts';
import { awaitCheckpoint } from '../log/await-checkpoint.ts';
import { createIdMinter } from './activity-id.ts';
import { appendQueueOf } from './append-queue.ts';
import { type NewActivity, type Prepared, prepareActivity } from './prepare.ts';
import { promiseOf, receiptsOf } from './receipts.ts';
import { sameContent } from './same-content.ts';
import type { Stored } from './store-new.ts';

export interface AppendActivities
  extends Verb<{
    readonly activities: readonly unknown[];
    readonly ack?: Ack | undefined;
  }> {
  /** Aborting it ends the wait for a checkpoint; what is committed by then stays so. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Append activities to the tenant of the call, in one transaction and as part of one batch, which calls of the tenant
 * that come at the same time share.
 *
 * Shape   1 to 1,000 items, each checked on its own: a refused one never loses the others.
 * Returns for each item in order: `stored`; `duplicate` when its id is there with the same content; or
 *         `refused` with code, path (`activities.3.actor.id`), message and limit. The same id with other
 *         content is refused as `id_conflict`. What was stored comes with its receipt.
 * Ack     `sequenced` waits until a signed checkpoint covers the batch, for at most `ackWaitMsMax`, and adds
 *         each activity's proof; the result says which it became.
 * Errors  `overloaded` while too much is waiting: nothing was stored. `unavailable`: where the connection was lost it can
 *         have been stored all the same. After either the call can be made again.
 */
export async function appendActivities({ ctx, input, signal }: AppendActivities): Promise<LogResult> {
  const queue = appendQueueOf(ctx);
  queue.assertRoom();
  const items = prepareItems(ctx, input.activities);
  const prepared = items.filter((item) => 'activity' in item);
  const stored = prepared.length > 0 ? await queue.store(ctx, prepared) : { holderOf: () => undefined };
  const own = ownPart(stored, prepared);
  const covered =
    own && input.ack === 'sequenced' ? await awaitCheckpoint(ctx, { ...own, signal }) : undefined;
  const receiptOf = own && receiptsOf(own.batch, covered);
  const results = items.map((item, index): LogItem => {
    if ('refused' in item) return item.refused;
    const { activity } = item;
    const { id, occurredAt } = activity;
    const holder = stored.holderOf(id);
    const receipt = holder === activity && receiptOf?.(id);
    if (receipt) return { status: 'stored', id, occurredAt, ...receipt };
    return holder && sameContent(holder, activity) ? duplicateItem(activity) : conflictItem(index);
  });
  return {
    results,
    ...countItems(results),
    ack: covered ? 'sequenced' : 'committed',
    batches: own ? [promiseOf(own.batch, covered)] : [],
  };
}

function prepareItems({ tenantId, clock }: Context, activities: readonly unknown[]) {
  const now = clock.now();
  const mintId = createIdMinter();
  return activities.map((item, index) =>
    prepareActivity(item, { path: `activities.${index}`, tenantId, now, mintId }),
  );
}

/** What was stored of this call; undefined where nothing was, though other calls may have filled the batch. */
function ownPart(stored: Stored, prepared: readonly Prepared[]) {
  const { batch } = stored;
  const own = prepared.filter(({ activity }) => stored.holderOf(activity.id) === activity);
  if (batch === undefined || own.length === 0) return undefined;
  return { batch, positions: own.map(({ activity }) => batch.positions.get(activity.id) as number) };
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
  const counts = { stored: 0, duplicate: 0, refused: 0 };
  for (const { status } of results) counts[status] += 1;
  return { stored: counts.stored, duplicates: counts.duplicate, refused: counts.refused };
}

import { type Activity, AnnalsError, type LogItem, type LogResult } from '@annals/contract';
import type { Context, Verb } from '../context.ts';
import { createIdMinter } from './activity-id.ts';
import { withPartitions } from './partitions.ts';
import { type NewActivity, prepareActivity } from './prepare.ts';
import { sameContent } from './same-content.ts';
import { IdsTaken, storeBatch } from './store-batch.ts';

/**
 * Append activities to the tenant of the call, in one transaction and as one batch.
 *
 * Shape   1 to 1,000 items, each checked on its own: a refused one never loses the others.
 * Returns for each item in order: `stored`; `duplicate` when its id is there with the same content; or
 *         `refused` with code, path (`activities.3.actor.id`), message and limit. The same id with other
 *         content is refused as `id_conflict`.
 * Errors  `unavailable`: nothing was stored, and the call can be made again.
 */
export async function appendActivities({
  ctx,
  input,
}: Verb<{ activities: readonly unknown[] }>): Promise<LogResult> {
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
  const taken = await storeNew(ctx, [...firsts.values()], recordedAt);
  return summarize(
    items.map((item, index): LogItem => {
      if ('refused' in item) return item.refused;
      const { activity } = item;
      const present = taken.get(activity.id) ?? firsts.get(activity.id);
      if (present === activity) return storedItem(activity, recordedAt);
      return present && sameContent(present, activity) ? duplicateItem(activity) : conflictItem(index);
    }),
  );
}

function firstById(activities: readonly NewActivity[]): Map<string, NewActivity> {
  const firsts = new Map<string, NewActivity>();
  for (const activity of activities) {
    if (!firsts.has(activity.id)) firsts.set(activity.id, activity);
  }
  return firsts;
}

const attemptsMax = 10;

/**
 * Store all whose ids are free, together, and return the records that hold the other ids.
 *
 * That all are free is the common case, so it is tried first. Each further attempt knows more of the ids
 * that are taken, by calls that came before or are racing this one.
 */
async function storeNew(
  ctx: Context,
  activities: readonly NewActivity[],
  recordedAt: Date,
): Promise<Map<string, Activity>> {
  const taken = new Map<string, Activity>();
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const pending = activities.filter(({ id }) => !taken.has(id));
    if (pending.length === 0) return taken;
    const found = await tryStore(ctx, pending, recordedAt);
    if (found === undefined) return taken;
    for (const activity of found) taken.set(activity.id, activity);
  }
  throw new AnnalsError({
    code: 'unavailable',
    message: 'the same ids are written and removed at the same time; try again',
  });
}

/** Undefined when all were stored; otherwise none was, and these are in the way. */
async function tryStore(
  ctx: Context,
  activities: readonly NewActivity[],
  recordedAt: Date,
): Promise<readonly Activity[] | undefined> {
  const moments = activities.map(({ occurredAt }) => occurredAt);
  try {
    await withPartitions(ctx, moments, () =>
      ctx.db.transaction(ctx.tenantId, (tx) => storeBatch(tx, { activities, recordedAt })),
    );
    return undefined;
  } catch (error) {
    if (error instanceof IdsTaken) return error.activities;
    throw error;
  }
}

function storedItem({ id, occurredAt }: NewActivity, recordedAt: Date): LogItem {
  return { status: 'stored', id, occurredAt, recordedAt };
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

function summarize(results: LogItem[]): LogResult {
  const count = (status: LogItem['status']) => results.filter((item) => item.status === status).length;
  return { results, stored: count('stored'), duplicates: count('duplicate'), refused: count('refused') };
}

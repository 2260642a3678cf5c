import { saltBytes } from '@annals/tlog';
import { MikroORM } from '@mikro-orm/postgresql';
import { v7 } from 'uuid';
import { createIdMinter } from './activity/activity-id.ts';
import { copySteps } from './activity/batch-write.ts';
import { ActivityEntity } from './activity/entity.ts';
import type { NewBatch } from './activity/new-batch.ts';
import { partitionRanges, withPartitions } from './activity/partitions.ts';
import { type NewActivity, prepareActivity } from './activity/prepare.ts';
import type { Verb } from './context.ts';

export { copiedColumns, encodeRows } from './activity/encode-rows.ts';
export type { NewActivity } from './activity/prepare.ts';
export { writeInOneTrip } from './database/one-trip.ts';

/**
 * For the benchmark alone: append as `appendActivities` does, without a log: no commitments, no batch row. What
 * integrity costs is the difference.
 */
export async function appendUncommitted({
  ctx,
  input,
}: Verb<{ activities: readonly unknown[] }>): Promise<number> {
  const mintId = createIdMinter();
  const options = { path: 'activities', tenantId: ctx.tenantId, now: ctx.clock.now(), mintId };
  const activities = input.activities.flatMap((item) => {
    const prepared = prepareActivity(item, options);
    return 'activity' in prepared ? [prepared.activity] : [];
  });
  const { tenantId } = ctx;
  const steps = copySteps(uncommittedBatch(tenantId, activities));
  const moments = partitionRanges(activities).map(({ moment }) => moment);
  await withPartitions(ctx, moments, () => ctx.db.write([{ tenantId, steps }]));
  return activities.length;
}

/** For the benchmark alone: a batch that commits to nothing. The activities are in the order of their times. */
export function uncommittedBatch(tenantId: string, activities: readonly NewActivity[]): NewBatch {
  const none = Buffer.alloc(0);
  const seeds = Buffer.alloc(activities.length * saltBytes);
  return {
    tenantId,
    id: v7(),
    recordedAt: new Date(),
    own: false,
    activities,
    positions: new Map(),
    seeds,
    leaves: none,
    root: none,
  };
}

/** For the benchmark alone: what an application writes that persists each activity with MikroORM. */
export async function openFlusher(
  clientUrl: string,
  { schema, connections }: { readonly schema: string; readonly connections: number },
): Promise<{ flush(tenantId: string, activity: NewActivity): Promise<void>; close(): Promise<void> }> {
  const orm = await MikroORM.init({
    entities: [ActivityEntity],
    clientUrl,
    schema,
    pool: { min: 0, max: connections },
    forceUtcTimezone: true,
    allowGlobalContext: false,
    debug: false,
  });
  return {
    flush: async (tenantId, activity) => {
      const em = orm.em.fork();
      em.create(ActivityEntity, plainRow(tenantId, activity));
      await em.flush();
    },
    close: () => orm.close(),
  };
}

/** What an application writes that inserts each activity by itself. */
export function plainRow(
  tenantId: string,
  { actor, subject, target, context, tags, ...activity }: NewActivity,
) {
  return {
    ...activity,
    ...context,
    tags: [...tags],
    tenantId,
    batchId: v7(),
    position: 0,
    recordedAt: new Date(),
    own: false,
    actorType: actor.type,
    actorId: actor.id,
    actorLabel: actor.label,
    subjectId: subject?.id,
    targetType: target?.type,
    targetId: target?.id,
    targetLabel: target?.label,
  };
}

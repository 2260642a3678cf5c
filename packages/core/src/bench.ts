import { v7 } from 'uuid';
import { createIdMinter } from './activity/activity-id.ts';
import { insertActivities } from './activity/insert-activities.ts';
import { withPartitions } from './activity/partitions.ts';
import { prepareActivity } from './activity/prepare.ts';
import type { Verb } from './context.ts';

/**
 * For the benchmark alone: append as `appendActivities` does, without a log: no commitments, no batch row. What
 * integrity costs is the difference.
 */
export async function appendUncommitted({
  ctx,
  input,
}: Verb<{ activities: readonly unknown[] }>): Promise<number> {
  const recordedAt = ctx.clock.now();
  const mintId = createIdMinter();
  const options = { path: 'activities', tenantId: ctx.tenantId, now: recordedAt, mintId };
  const activities = input.activities.flatMap((item) => {
    const prepared = prepareActivity(item, options);
    return 'activity' in prepared ? [prepared.activity] : [];
  });
  const moments = activities.map(({ occurredAt }) => occurredAt);
  const inserted = await withPartitions(ctx, moments, () =>
    ctx.db.transaction(ctx.tenantId, (tx) =>
      tx.query(
        insertActivities(tx.tenantId, {
          id: v7(),
          recordedAt,
          own: false,
          activities: activities.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
          seeds: Buffer.alloc(0),
        }),
      ),
    ),
  );
  return inserted.length;
}

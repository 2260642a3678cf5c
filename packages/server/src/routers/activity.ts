import {
  appendActivities,
  countActivities,
  exportActivities,
  facetActivities,
  getActivity,
  listActivities,
  statsActivities,
  summarizeActor,
  tailActivities,
} from '@annals/core';
import { tracked } from '@trpc/server';
import { procedure, router } from '../procedure.ts';

export const activityRouter = router({
  log: procedure('activity.log').mutation(async ({ ctx, input, signal }) => {
    const result = await appendActivities({ ctx, input, signal });
    ctx.annals.onLogged?.(result);
    return result;
  }),
  get: procedure('activity.get').query(({ ctx, input }) => getActivity({ ctx, input })),
  list: procedure('activity.list').query(({ ctx, input }) => listActivities({ ctx, input })),
  export: procedure('activity.export').query(({ ctx, input }) => exportActivities({ ctx, input })),
  count: procedure('activity.count').query(({ ctx, input }) => countActivities({ ctx, input })),
  stats: procedure('activity.stats').query(({ ctx, input }) => statsActivities({ ctx, input })),
  facets: procedure('activity.facets').query(({ ctx, input }) => facetActivities({ ctx, input })),
  summary: procedure('activity.summary').query(({ ctx, input }) => summarizeActor({ ctx, input })),
  tail: procedure('activity.tail').subscription(async function* ({ ctx, input, signal }) {
    // The signal is aborted when the caller goes away.
    for await (const event of tailActivities({ ctx, input, signal })) {
      // The key can have been revoked since the stream began.
      await ctx.annals.authenticateAgain?.();
      yield tracked(event.cursor, event);
    }
  }),
});

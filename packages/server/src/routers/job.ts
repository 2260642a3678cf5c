import { cancelJob, getJob, listJobs, resumeJob, watchJob } from '@annals/core';
import { procedure, router } from '../procedure.ts';

export const jobRouter = router({
  get: procedure('job.get').query(({ ctx, input }) => getJob({ ctx, input })),
  list: procedure('job.list').query(({ ctx, input }) => listJobs({ ctx, input })),
  cancel: procedure('job.cancel').mutation(({ ctx, input }) => cancelJob({ ctx, input })),
  resume: procedure('job.resume').mutation(({ ctx, input }) => resumeJob({ ctx, input })),
  watch: procedure('job.watch').subscription(async function* ({ ctx, input, signal }) {
    // The signal is aborted when the caller goes away.
    for await (const job of watchJob({ ctx, input, signal })) {
      // The key can have been revoked since the stream began.
      await ctx.annals.authenticateAgain?.();
      yield job;
    }
  }),
});

import { setTimeout as delay } from 'node:timers/promises';
import { type Job, type JobInput, limits } from '@annals/contract';
import type { Verb } from '../context.ts';
import { createTenantLimit } from '../tenant/tenant-limit.ts';
import { getJob } from './get-job.ts';
import { isAborted } from './is-aborted.ts';
import { hasEnded } from './to-job.ts';

const enter = createTenantLimit(limits.watchesPerTenantMax, 'jobs are watched');

export interface WatchJob extends Verb<JobInput> {
  /** Aborting it ends the watch. */
  readonly signal?: AbortSignal | undefined;
  readonly pollMs?: number;
}

/**
 * The job as it is, then whenever it has moved; ends after the state in which it has ended.
 *
 * Limits  `watchesPerTenantMax` at once of one tenant in one process: each asks the database twice a second.
 * Errors  `not_found`, `forbidden`, `unavailable`, before anything is yielded.
 */
export async function* watchJob({ ctx, input, signal, pollMs = 500 }: WatchJob): AsyncGenerator<Job> {
  const leave = enter(ctx);
  try {
    let seen = '';
    while (!isAborted(signal)) {
      const job = await getJob({ ctx, input });
      const state = JSON.stringify(job);
      if (state !== seen) yield job;
      if (hasEnded(job)) return;
      seen = state;
      await delay(pollMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    leave();
  }
}

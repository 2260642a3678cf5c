import { setTimeout as delay } from 'node:timers/promises';
import { AnnalsError, type Job, type JobInput, limits } from '@annals/contract';
import type { Context, Verb } from '../context.ts';
import type { Database } from '../database/database.ts';
import { getJob } from './get-job.ts';
import { isAborted } from './is-aborted.ts';
import { hasEnded } from './to-job.ts';

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

/** Watches in hand by tenant. */
const watches = new WeakMap<Database, Map<string, number>>();

function enter({ db, tenantId }: Pick<Context, 'db' | 'tenantId'>): () => void {
  const byTenant = watches.get(db) ?? new Map<string, number>();
  watches.set(db, byTenant);
  const count = byTenant.get(tenantId) ?? 0;
  const limit = limits.watchesPerTenantMax;
  if (count >= limit) {
    throw new AnnalsError({ code: 'unavailable', message: `${limit} jobs are watched already`, limit });
  }
  byTenant.set(tenantId, count + 1);
  return () => {
    const left = (byTenant.get(tenantId) ?? 1) - 1;
    if (left > 0) byTenant.set(tenantId, left);
    else byTenant.delete(tenantId);
  };
}

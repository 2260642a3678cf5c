import { setTimeout as delay } from 'node:timers/promises';
import type { Services } from '../context.ts';
import { createWaiter } from '../database/create-waiter.ts';
import { describeFailure } from '../job/describe-failure.ts';
import { isAborted } from '../job/is-aborted.ts';
import { sealDueManifests } from './seal-due-manifests.ts';

/** How often it looks without being woken. */
const pollMs = 30_000;
/** Checkpoints come every second while anything is recorded. */
const apartMs = 1_000;

/**
 * Seal the manifests that are due until `stop`: woken when a checkpoint was signed, which is what they wait for,
 * and looking by itself besides. Any number of processes may do so.
 */
export function startSealing(services: Services): { stop(): Promise<void> } {
  const waiter = createWaiter(services.db.signals, 'annals_checkpoint');
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async () => {
    while (!isAborted(signal)) {
      const begunMs = performance.now();
      try {
        await sealDueManifests(services);
      } catch (error) {
        services.log.warn(describeFailure(error), 'cannot look for manifests to seal; trying again');
      }
      // Looking for what is not signed yet can take long where very much is listed.
      const pauseMs = Math.max(apartMs, 5 * (performance.now() - begunMs));
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      if (!isAborted(signal)) await waiter.wait(pollMs);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      waiter.end();
      await running;
    },
  };
}

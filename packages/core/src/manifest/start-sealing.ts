import type { Services } from '../context.ts';
import { describeFailure } from '../job/describe-failure.ts';
import { type Rounds, startRounds } from '../job/start-rounds.ts';
import { sealDueManifests } from './seal-due-manifests.ts';

/** How often it looks without being woken. */
const pollMs = 30_000;
/** Checkpoints come every second while anything is recorded. */
const apartMs = 1_000;

/**
 * Seal the manifests that are due until `stop`: woken when a checkpoint was signed, which is what they wait for,
 * and looking by itself besides. Any number of processes may do so.
 */
export function startSealing(services: Services): Rounds {
  return startRounds({
    signals: services.db.signals,
    channel: 'annals_checkpoint',
    round: async ({ pause, wait }) => {
      const begunMs = performance.now();
      try {
        await sealDueManifests(services);
      } catch (error) {
        services.log.warn(describeFailure(error), 'cannot look for manifests to seal; trying again');
      }
      // Looking for what is not signed yet can take long where very much is listed.
      await pause(Math.max(apartMs, 5 * (performance.now() - begunMs)));
      await wait(pollMs);
    },
  });
}

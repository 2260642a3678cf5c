import type { Services } from '../context.ts';
import { type Rounds, startRounds } from '../job/start-rounds.ts';
import { sequenceRound } from './sequence-round.ts';

export interface SequencerOptions {
  /** How often it looks without being woken; 200 ms unless told otherwise. */
  readonly pollMs?: number;
}

/** Under a steady stream of batches, each round takes what has come together in so long. */
const gatherMs = 25;
const failurePauseMs = 1_000;
const restMsMax = 250;

/**
 * Rounds begin no sooner after each other than `gatherMs`. Those that take long, since many tenants write, take at
 * most a fifth of the time: what a transaction costs hardly depends on how much it sequences.
 */
function restMs(roundMs: number): number {
  return Math.max(gatherMs - roundMs, Math.min(4 * roundMs, restMsMax));
}

/**
 * Bring what is committed into the logs of all tenants until `stop`: woken by whoever commits, here or in another
 * process, and looking by itself besides. Any number of processes may do so.
 *
 * A log that contradicts itself is left as it is, and reported; the others go on. While the database cannot be
 * reached, it is waited for.
 */
export function startSequencer(
  services: Pick<Services, 'db' | 'clock' | 'log'>,
  { pollMs = 200 }: SequencerOptions = {},
): Rounds {
  const refusals = new Map<string, number>();
  return startRounds({
    signals: services.db.signals,
    channel: 'annals_batch',
    round: async ({ signal, pause, wait }) => {
      const begunMs = performance.now();
      const outcome = await sequenceRound(services, { refusals, signal });
      if (outcome === 'failed') await pause(failurePauseMs);
      else if (outcome === 'moved') await pause(restMs(performance.now() - begunMs));
      else await wait(pollMs);
    },
  });
}

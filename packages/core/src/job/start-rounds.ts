import { setTimeout as delay } from 'node:timers/promises';
import { createWaiter } from '../database/create-waiter.ts';
import type { Channel, Signals } from '../database/signals.ts';
import { isAborted } from './is-aborted.ts';

export interface Rounds {
  /** Finish what is in hand, and leave the rest to others. */
  stop(): Promise<void>;
}

export interface RoundsOptions {
  readonly signals: Pick<Signals, 'on'>;
  /** What wakes it. */
  readonly channel: Channel;
  /** Called again and again, each time when the one before has ended. It throws nothing. */
  readonly round: (between: BetweenRounds) => Promise<void>;
}

export interface BetweenRounds {
  /** Aborted by `stop`, which ends the waits besides. */
  readonly signal: AbortSignal;
  /** Rest, whatever comes meanwhile. */
  readonly pause: (ms: number) => Promise<void>;
  /** Until woken, so long at most; at once when that came since the last wait. */
  readonly wait: (timeoutMs: number) => Promise<void>;
}

/** Work in rounds until `stop`, woken by a channel of the database. */
export function startRounds({ signals, channel, round }: RoundsOptions): Rounds {
  const waiter = createWaiter(signals, channel);
  const stopping = new AbortController();
  const { signal } = stopping;
  const between: BetweenRounds = {
    signal,
    pause: (ms) => delay(ms, undefined, { signal }).catch(() => undefined),
    wait: (timeoutMs) => waiter.wait(timeoutMs),
  };
  const run = async () => {
    while (!isAborted(signal)) await round(between);
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

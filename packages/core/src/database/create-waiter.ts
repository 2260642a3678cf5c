import type { Channel, Signals } from './signals.ts';

/** For a loop that works when it is signalled, and looks by itself besides. */
export interface Waiter {
  /** Until a signal, so long at most; at once when one came since the last wait. */
  wait(timeoutMs: number): Promise<void>;
  /** End the wait in hand, and listen no more. */
  end(): void;
}

export function createWaiter(signals: Pick<Signals, 'on'>, channel: Channel): Waiter {
  let next = Promise.withResolvers<void>();
  const off = signals.on(channel, () => next.resolve());
  return {
    wait: async (timeoutMs) => {
      const timer = setTimeout(() => next.resolve(), timeoutMs);
      await next.promise;
      clearTimeout(timer);
      next = Promise.withResolvers();
    },
    end: () => {
      off();
      next.resolve();
    },
  };
}

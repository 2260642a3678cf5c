import { AnnalsError } from '@annals/contract';

/** What goes on, so that its end can be waited for. */
export interface InHand {
  /** Errors  `unavailable` once the end has begun. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Let nothing more begin, and wait until everything that has begun is over. */
  end(): Promise<void>;
}

export function trackInHand(): InHand {
  const going = new Set<Promise<unknown>>();
  let ending = false;
  return {
    run: async (work) => {
      if (ending) throw new AnnalsError({ code: 'unavailable', message: 'the database is being closed' });
      const one = work();
      going.add(one);
      try {
        return await one;
      } finally {
        going.delete(one);
      }
    },
    end: async () => {
      ending = true;
      await Promise.allSettled(going);
    },
  };
}

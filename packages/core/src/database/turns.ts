import { AnnalsError } from '@annals/contract';

/** Lets so much happen at once; everything else waits for its turn, in the order of asking. */
export interface Turns {
  /** Errors  `unavailable` for what has waited `waitMsMax` in vain. */
  run<T>(work: () => Promise<T>, waitMsMax: number): Promise<T>;
}

export function createTurns(atOnce: number): Turns {
  let free = atOnce;
  const waiting = new Set<() => void>();
  const wait = (waitMsMax: number) =>
    new Promise<void>((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(begin);
        reject(tooMany());
      }, waitMsMax);
      waiting.add(begin);
    });
  const pass = () => {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else if (waiting.delete(next)) next();
  };
  return {
    run: async (work, waitMsMax) => {
      if (free > 0) free -= 1;
      else await wait(waitMsMax);
      try {
        return await work();
      } finally {
        pass();
      }
    },
  };
}

function tooMany(): AnnalsError {
  return new AnnalsError({ code: 'unavailable', message: 'too many reads are in hand; try again' });
}

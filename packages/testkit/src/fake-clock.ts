export interface FakeClock {
  /** A fresh copy of the current time. */
  now(): Date;
  advance(ms: number): void;
  set(date: Date): void;
}

/** A clock that moves only when told to. Starts at 2026-01-15T12:00:00Z unless told otherwise. */
export function createFakeClock(start: Date = new Date('2026-01-15T12:00:00.000Z')): FakeClock {
  let currentMs = start.getTime();
  return {
    now: () => new Date(currentMs),
    advance: (ms) => {
      currentMs += ms;
    },
    set: (date) => {
      currentMs = date.getTime();
    },
  };
}

import type { Plan } from '@annals/contract';
import type { ActiveHolds } from './active-holds.ts';

/** The activities of a plan that are held, and by what. */
export type HeldCounts = Pick<Plan, 'held' | 'holds'>;

/** Counts what a plan finds held. */
export interface HeldTally {
  /** One record, with the ids of the holds that match it. */
  add(by: readonly string[]): void;
  /** So many records more. */
  addRecords(count: number): void;
  /** So many more that this hold matches. */
  addBy(hold: string, count: number): void;
  counts(): HeldCounts;
}

export function createHeldTally({ all }: ActiveHolds): HeldTally {
  const byHold = new Map<string, number>();
  let held = 0;
  const addBy = (hold: string, count: number) => byHold.set(hold, (byHold.get(hold) ?? 0) + count);
  return {
    add: (by) => {
      held += 1;
      for (const hold of by) addBy(hold, 1);
    },
    addRecords: (count) => {
      held += count;
    },
    addBy,
    counts: () => ({
      held,
      holds: all.flatMap((hold) => {
        const activities = byHold.get(hold.id) ?? 0;
        return activities > 0 ? [{ ...hold, activities }] : [];
      }),
    }),
  };
}

import type { Plan } from '@annals/contract';
import type { ActiveHolds } from './active-holds.ts';

/** The activities of a plan that are held, and by what. */
export type HeldCounts = Pick<Plan, 'held' | 'holds'>;

/** Counts what a plan finds held. */
export interface HeldTally {
  /** One record, with the ids of the holds that match it. */
  add(by: readonly string[]): void;
  counts(): HeldCounts;
}

export function createHeldTally({ all }: ActiveHolds): HeldTally {
  const byHold = new Map<string, number>();
  let held = 0;
  return {
    add: (by) => {
      held += 1;
      for (const id of by) byHold.set(id, (byHold.get(id) ?? 0) + 1);
    },
    counts: () => ({
      held,
      holds: all.flatMap((hold) => {
        const activities = byHold.get(hold.id) ?? 0;
        return activities > 0 ? [{ ...hold, activities }] : [];
      }),
    }),
  };
}

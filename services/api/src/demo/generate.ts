import type { ActivityInput } from '@annals/contract';
import { v7 } from 'uuid';
import { intrusion, nightlyJobs, webhooks } from './background.ts';
import { people } from './cast.ts';
import { createRandom } from './random.ts';
import { workday } from './workday.ts';

const demoDays = 30;
const dayMs = 86_400_000;

/** A demo activity has its time and id, as if a client had minted them. */
export type DemoActivity = ActivityInput & { id: string; occurredAt: Date };

/** An activity before it has an id: the time is when it happened. */
export type Draft = ActivityInput & { occurredAt: Date };

/**
 * A believable month that ends at `end`: people at work on weekdays, jobs at night, webhooks around the
 * clock, and one night of somebody trying passwords. About 20,000 activities in time order, the same for the
 * same seed and end.
 */
export function generateDemo({ seed, end }: { seed: number; end: Date }): DemoActivity[] {
  const random = createRandom(seed);
  const drafts: Draft[] = [];
  for (let day = demoDays - 1; day >= 0; day -= 1) {
    const midnight = new Date(Math.floor((end.getTime() - day * dayMs) / dayMs) * dayMs);
    for (const person of people) drafts.push(...workday({ random, person, midnight }));
    drafts.push(...nightlyJobs({ random, midnight }), ...webhooks({ random, midnight }));
    if (day === 9) drafts.push(...intrusion({ random, midnight }));
  }
  return drafts
    .filter(({ occurredAt }) => occurredAt <= end)
    .toSorted((a, b) => a.occurredAt.getTime() - b.occurredAt.getTime())
    .map((draft) => ({
      ...draft,
      id: v7({
        msecs: draft.occurredAt.getTime(),
        random: random.bytes(16),
        seq: random.int(0, 0x7fff_ffff),
      }),
    }));
}

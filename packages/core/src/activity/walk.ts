import type { Filter } from '@annals/contract';
import type { Tx } from '../database/database.ts';
import { expandPrefixes } from './action-prefixes.ts';
import { timeOfId } from './activity-id.ts';
import type { Cursor } from './cursor.ts';
import { type Gathered, gatherRows } from './gather-rows.ts';
import { mostSelective } from './most-selective.ts';
import { type PageRow, type Stretch, selectAmong, selectFirst, selectNth } from './select-rows.ts';
import { spansOf } from './spans.ts';
import { type Timeline, timelineOfAll, timelinesOf } from './timelines.ts';
import { walkCounted } from './walk-counted.ts';
import type { Sight } from './where.ts';

export interface Walk {
  readonly filter: Filter;
  readonly sight: Sight;
  readonly descending: boolean;
  /** Where to begin; without, at the end of time that the direction begins with. */
  readonly place: Place | undefined;
  readonly limit: number;
  readonly now: Date;
  /** Plans are kept: then it is better to have one for all of the time than one for each part of it. */
  readonly prepared: boolean;
  /** By `performance.now()`: after that, what was found until then is the answer. */
  readonly deadlineMs: number;
  readonly columns?: Stretch['columns'];
}

/** Beyond a record, or with it. */
export type Place = Pick<Cursor, 'id' | 'inclusive'>;

export interface Walked {
  /** The records nearest to the place, the nearest first. */
  readonly rows: readonly PageRow[];
  /** Id of the last record that was looked at, where the walk was given up before it had as many as it may. */
  readonly stoppedAt?: string | undefined;
}

/**
 * The records of a filter from a place on, in the order of an index: nothing is sorted, and little is read that is not
 * asked for. Span by span, so that few partitions are planned for; and where no index has just what is asked for, so
 * many records at a time.
 *
 * Given up  once the rows hold `pageBytesMax`, or at the deadline, after one step at least.
 * Caution   in one snapshot: a step goes on where the one before it has ended.
 */
export async function walkRows(tx: Tx, walk: Walk): Promise<Walked> {
  const found = gatherRows(walk.limit);
  const stoppedAt = await walkInto(tx, walk, found);
  return { rows: found.rows, stoppedAt };
}

/** As `walkRows`, into what gathers in a way of its own. Returns where it was given up. */
export async function walkInto(tx: Tx, walk: Walk, found: Gathered): Promise<string | undefined> {
  const { filter, place, descending, now, prepared } = walk;
  const { from, to } = filter;
  const start = place ? timeOfId(place.id) : descending ? (to ?? now) : from;
  let chosen: Timeline | undefined;
  const steps: Steps = { walk, found, counted: undefined };
  for (const span of prepared ? [{ from, to }] : spansOf({ descending, start, from, to })) {
    chosen ??= await mostSelective(tx, { timelines: timelinesOf(filter), span });
    const timeline = (await expandPrefixes(tx, { timeline: chosen, span })) ?? timelineOfAll(filter);
    const stoppedAt = await walkSpan(tx, { ...walk, timeline, span }, steps);
    if (stoppedAt !== undefined || found.missing() === 0) return stoppedAt;
  }
  return undefined;
}

/** How many records a step looks at: few where it is likely that they are enough, then more and more. */
const stepMin = 2_000;
const stepMax = 32_000;
const growth = 4;

interface Steps {
  readonly walk: Walk;
  readonly found: Gathered;
  /** Whether the counts tell where to look, once they were asked. */
  counted: boolean | undefined;
}

/** Returns where it was given up. */
async function walkSpan(tx: Tx, stretch: Stretch, steps: Steps): Promise<string | undefined> {
  const { walk, found } = steps;
  const { strands, rest } = stretch.timeline;
  if (strands.length === 0) return undefined;
  if (Object.keys(rest).length === 0) {
    return (await found.add(tx, (limit) => selectFirst(stretch, limit))) ? found.last() : undefined;
  }
  let { place } = stretch;
  let hits = 0;
  for (let among = stepMin; ; among = Math.min(among * growth, stepMax)) {
    const step = { ...stretch, place };
    const missing = found.missing();
    // Not for what the first step finds, or by its findings the next one: that is done sooner than the counts are
    // read, which tell little of a timeline that has few of the records in which they tell something.
    const isNear = hits * growth >= missing && hits > 0;
    if (!isNear && (steps.counted || (steps.counted === undefined && among > stepMin))) {
      const counted = await walkCounted(tx, { stretch: step, found, deadlineMs: walk.deadlineMs });
      steps.counted = counted !== undefined;
      if (counted) return counted.stoppedAt;
    }
    if (await found.add(tx, (limit) => selectAmong(step, { among, limit }))) return found.last();
    hits = missing - found.missing();
    if (found.missing() === 0) return undefined;
    const [last] = await tx.query(selectNth(step, among));
    if (!last || performance.now() > walk.deadlineMs) return last?.id;
    place = { id: last.id, inclusive: false };
  }
}

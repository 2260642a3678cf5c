import type { Tx } from '../database/database.ts';
import { timeOfId } from './activity-id.ts';
import { countedQuarters } from './counted-quarters.ts';
import type { Gathered } from './gather-rows.ts';
import { type Stretch, selectWithin } from './select-rows.ts';
import type { Span } from './spans.ts';
import type { Place } from './walk.ts';

export interface CountedWalk {
  readonly stretch: Stretch;
  readonly found: Gathered;
  readonly deadlineMs: number;
}

/** Quarters of an hour of one statement: about as many as a page can need, then more. */
const quartersMin = 64;
const quartersMax = 1_024;
const growth = 4;

/**
 * Walk through a stretch by the counts: only the quarters of an hour are read in which there is something to be found.
 *
 * Returns undefined where the counts do not tell; else where it was given up.
 */
export async function walkCounted(
  tx: Tx,
  { stretch, found, deadlineMs }: CountedWalk,
): Promise<{ readonly stoppedAt: string | undefined } | undefined> {
  const { timeline, sight, descending } = stretch;
  let { place } = stretch;
  for (let limit = quartersMin; ; limit = Math.min(limit * growth, quartersMax)) {
    const range = beyondPlace(stretch.span, { place, descending });
    const quarters = await countedQuarters(tx, { rest: timeline.rest, sight, range, descending, limit });
    if (!quarters) return undefined;
    const { spans, edgeMs } = quarters;
    const step = { ...stretch, place };
    if (
      spans.length > 0 &&
      (await found.add(tx, (missing) => selectWithin(step, { spans, limit: missing })))
    ) {
      return { stoppedAt: found.last() };
    }
    if (edgeMs === undefined || found.missing() === 0) return { stoppedAt: undefined };
    place = { id: idAtEdge(edgeMs, descending), inclusive: false };
    if (performance.now() > deadlineMs) return { stoppedAt: place.id };
  }
}

/** The range from the place on, to the millisecond. */
function beyondPlace(
  { from, to }: Span,
  { place, descending }: { readonly place: Place | undefined; readonly descending: boolean },
): Span {
  if (!place) return { from, to };
  const at = timeOfId(place.id);
  if (!descending) return { from: from && from > at ? from : at, to };
  const after = new Date(at.getTime() + 1);
  return { from, to: to && to < after ? to : after };
}

/** An id beyond which, in the direction of the walk, lies just what occurred beyond a moment. */
function idAtEdge(edgeMs: number, descending: boolean): string {
  const ms = descending ? edgeMs : edgeMs - 1;
  const digits = ms.toString(16).padStart(12, '0');
  const rest = descending ? '7000-8000-000000000000' : '7fff-bfff-ffffffffffff';
  return `${digits.slice(0, 8)}-${digits.slice(8)}-${rest}`;
}

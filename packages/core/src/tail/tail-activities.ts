import { limits, type TailEvent, type TailInput } from '@annals/contract';
import { resolveFilter } from '../activity/resolve-filter.ts';
import type { Context, Verb } from '../context.ts';
import { createWaiter, type Waiter } from '../database/create-waiter.ts';
import { isAborted } from '../job/is-aborted.ts';
import { type LogPlace, logStart } from '../log/follower-place.ts';
import { createTenantLimit } from '../tenant/tenant-limit.ts';
import { type LogEnds, logEndsOf } from './log-ends.ts';
import { joinFeed, type TailSeat } from './tail-feed.ts';
import { formatTailCursor, parseTailCursor, placeAtEnd, rangeAt } from './tail-place.ts';

export interface TailActivities extends Verb<TailInput> {
  /** Aborting it ends the tail. */
  readonly signal?: AbortSignal | undefined;
}

/** How long nothing is said: while the cursor moves past what the filter does not select, and while it stands. */
const movingMs = 1_000;
const standingMs = 15_000;

const enter = createTenantLimit(limits.tailsPerTenantMax, 'tails are followed');

/**
 * The activities that a filter selects as they come into the tenant's log, in its order, without an end: each once,
 * across calls too, where each goes on behind the cursor that the one before it told last. What was erased or purged
 * since is told as it is now, or not at all. Entries that a restore took back come again, in the next epoch.
 *
 * The first event comes at once, with what is there: it says where the tail begins. The activities are shared
 * between the tails of this process: to be read only.
 *
 * Limits  `tailsPerTenantMax` at once of one tenant in one process, `tailActivitiesMax` in an event.
 * Errors  those of `listActivities`, before anything is yielded; `invalid_input` at `lastEventId` for a cursor beyond
 *         the end of the log; `timeout`, `unavailable`.
 */
export async function* tailActivities({ ctx, input, signal }: TailActivities): AsyncGenerator<TailEvent> {
  const filter = resolveFilter(ctx, input);
  const leave = enter(ctx);
  const seat = joinFeed(ctx, filter);
  const ends = logEndsOf(ctx);
  const waiter = createWaiter({ on: (_, listener) => ends.watch(ctx.tenantId, listener) }, 'annals_log');
  const end = () => waiter.end();
  signal?.addEventListener('abort', end, { once: true });
  try {
    await ends.refresh();
    yield* follow(ctx, { seat, ends, waiter, place: startOf(ctx, ends, input), signal });
  } catch (error) {
    // What was in hand then fails because of it.
    if (!isAborted(signal)) throw error;
  } finally {
    signal?.removeEventListener('abort', end);
    waiter.end();
    seat.leave();
    leave();
  }
}

function startOf({ tenantId }: Context, ends: LogEnds, { lastEventId, from }: TailInput): LogPlace {
  if (lastEventId !== undefined) return parseTailCursor(lastEventId);
  return from === 'start' ? logStart : placeAtEnd(ends.of(tenantId));
}

interface Follow {
  readonly seat: TailSeat;
  readonly ends: LogEnds;
  readonly waiter: Waiter;
  readonly place: LogPlace;
  readonly signal: AbortSignal | undefined;
}

async function* follow(
  { tenantId }: Context,
  { seat, ends, waiter, place: start, signal }: Follow,
): AsyncGenerator<TailEvent> {
  let place = start;
  let told = '';
  let toldMs = Number.NEGATIVE_INFINITY;
  while (!isAborted(signal)) {
    const range = rangeAt(ends.of(tenantId), place);
    const waits = range.start === range.end;
    const step = waits ? undefined : await seat.take(range);
    place = step?.next ?? { epoch: range.epoch, index: range.start };
    const cursor = formatTailCursor(place);
    const activities = [...(step?.activities ?? [])];
    const dueMs = toldMs + (cursor === told ? standingMs : movingMs);
    if (activities.length > 0 || performance.now() >= dueMs) {
      yield { cursor, activities };
      told = cursor;
      toldMs = performance.now();
    } else if (waits) await waiter.wait(dueMs - performance.now());
  }
}

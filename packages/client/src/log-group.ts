import {
  type Ack,
  type AnnalsError,
  type Batch,
  type LogItem,
  type LogResult,
  limits,
} from '@annals/contract';
import type { PreparedActivity } from './prepare-activity.ts';
import type { Backoff } from './retrying.ts';

/** What became of the activities of a call, in order, and the batches that they are part of. */
export interface LogAnswer {
  readonly results: readonly LogItem[];
  readonly batches: readonly Batch[];
}

/** A call that waits for its answer. */
export interface PendingCall {
  readonly tenantId: string | undefined;
  readonly ack: Ack | undefined;
  readonly activities: readonly PreparedActivity[];
  readonly bytes: number;
  /** Whether it has been answered, or the caller has gone away. */
  settled: boolean;
  readonly resolve: (answer: LogAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** Told that the caller has gone away; set by who has the call in hand. */
  onGone?: () => void;
}

/** Calls that go as one call of `activity.log`. */
export interface LogGroup {
  readonly calls: readonly PendingCall[];
  readonly bytes: number;
  /** Of the attempts that are made of it. */
  readonly backoff: Backoff;
  /** Whether it shares no request with others. */
  readonly alone: boolean;
  /** Aborted once all its callers have gone away. */
  readonly left: AbortSignal;
}

interface OpenGroup {
  readonly backoff: Backoff;
  readonly alone?: boolean;
}

function openGroup(calls: readonly PendingCall[], { backoff, alone = false }: OpenGroup): LogGroup {
  const left = new AbortController();
  const onGone = () => {
    if (calls.every(({ settled }) => settled)) left.abort();
  };
  for (const call of calls) call.onGone = onGone;
  const bytes = calls.reduce((sum, call) => sum + call.bytes, 0);
  return { calls, bytes, backoff, alone, left: left.signal };
}

/**
 * Calls share a request as far as it stays below this; a larger one goes with no other. More would save nothing, and
 * be too much for many a proxy.
 */
const sharedBytesMax = 512 * 1024;

/** Calls that have not been sent yet. */
export interface Lanes {
  /** By what makes them one call, in the order of their turns. */
  readonly calls: Map<string, PendingCall[]>;
  bytes: number;
  activities: number;
}

export function openLanes(): Lanes {
  return { calls: new Map(), bytes: 0, activities: 0 };
}

/** Whether there is enough for a request that holds as much as one should. */
export function isFull({ bytes, activities }: Lanes): boolean {
  return bytes >= sharedBytesMax || activities >= limits.activitiesPerCallMax;
}

export function addCall(lanes: Lanes, call: PendingCall): void {
  const lane = JSON.stringify([call.tenantId, call.ack]);
  const calls = lanes.calls.get(lane);
  if (calls) calls.push(call);
  else lanes.calls.set(lane, [call]);
  count(lanes, call, 1);
  // What nobody waits for must not lie here until there is room for it.
  call.onGone = () => {
    const among = lanes.calls.get(lane) ?? [];
    const at = among.indexOf(call);
    if (at === -1) return;
    among.splice(at, 1);
    count(lanes, call, -1);
  };
}

function count(lanes: Lanes, { bytes, activities }: PendingCall, sign: 1 | -1): void {
  lanes.bytes += sign * bytes;
  lanes.activities += sign * activities.length;
}

/** What goes in the next request: first what goes again, then of each lane in its turn. */
export function takeGroups(again: LogGroup[], lanes: Lanes, openBackoff: () => Backoff): LogGroup[] {
  const taken: LogGroup[] = [];
  let bytes = 0;
  const take = (group: LogGroup) => {
    bytes += group.bytes;
    taken.push(group);
  };
  for (let next = again[0]; next && fits(next); next = again[0]) {
    again.shift();
    take(next);
    if (next.alone) return taken;
  }
  for (const [lane, calls] of lanes.calls) {
    if (taken.length >= limits.logCallsPerRequestMax) break;
    const chosen = takeCalls(calls, { bytes, first: taken.length === 0 });
    for (const call of chosen) count(lanes, call, -1);
    // To the end of the turns, for what is left of it.
    lanes.calls.delete(lane);
    if (calls.length > 0) lanes.calls.set(lane, calls);
    if (chosen.length > 0) take(openGroup(chosen, { backoff: openBackoff() }));
    if (calls.length > 0) break;
  }
  return taken;

  function fits(group: LogGroup): boolean {
    if (taken.length === 0) return true;
    return (
      !group.alone && taken.length < limits.logCallsPerRequestMax && bytes + group.bytes <= sharedBytesMax
    );
  }
}

/** The first calls of a lane that still fit; the very first of a request does. */
function takeCalls(calls: PendingCall[], request: { bytes: number; readonly first: boolean }): PendingCall[] {
  let { bytes } = request;
  let activities = 0;
  let taken = 0;
  for (const call of calls) {
    bytes += call.bytes;
    activities += call.activities.length;
    const fits = bytes <= sharedBytesMax && activities <= limits.activitiesPerCallMax;
    if (!fits && !(request.first && taken === 0)) break;
    taken += 1;
  }
  return calls.splice(0, taken);
}

/** Tell each call what became of its own activities. */
export function answerCalls(calls: readonly PendingCall[], { results, batches }: LogResult): void {
  let from = 0;
  for (const call of calls) {
    const own = results.slice(from, (from += call.activities.length)).map(renumber);
    const ids = new Set(own.map((item) => item.status === 'stored' && item.batchId));
    call.resolve({ results: own, batches: batches.filter(({ id }) => ids.has(id)) });
  }
}

/** As the server counts within a call. */
export function renumber(item: LogItem, index: number): LogItem {
  if (item.status !== 'refused' || item.path === undefined) return item;
  return { ...item, path: item.path.replace(/^activities\.\d+/, `activities.${index}`) };
}

/** What a failure is told for that is the same for all who call with this key, for this tenant, or now. */
const common: ReadonlySet<AnnalsError['code']> = new Set([
  'unauthenticated',
  'forbidden',
  'unavailable',
  'overloaded',
]);

/** Whether a group may have failed by one of its calls, or by those that shared its request. */
export function mayBeOthers({ code, path }: AnnalsError): boolean {
  return !common.has(code) && path !== 'tenantId';
}

/** The calls of a group in two; a single one goes alone. */
export function halve(calls: readonly PendingCall[], openBackoff: () => Backoff): LogGroup[] {
  const middle = Math.ceil(calls.length / 2);
  return [calls.slice(0, middle), calls.slice(middle)].flatMap((half) =>
    half.length === 0 ? [] : [openGroup(half, { backoff: openBackoff(), alone: true })],
  );
}

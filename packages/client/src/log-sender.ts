import { AnnalsError } from '@annals/contract';
import {
  addCall,
  answerCalls,
  halve,
  isFull,
  type LogGroup,
  mayBeOthers,
  openLanes,
  type PendingCall,
  takeGroups,
} from './log-group.ts';
import { requestLog } from './log-request.ts';
import type { Settings } from './options.ts';
import { AttemptFailed, createBackoff } from './retrying.ts';

/** However much waits. */
const requestsMax = 16;
/** No call waits longer for the answers of others: one that does not come holds up those in its own request only. */
const waitMsMax = 100;

/** Sends calls in as few requests as there can be without waiting for any. */
export interface LogSender {
  /** The call is settled sooner or later, and its failure told to it alone. */
  send(call: PendingCall): void;
}

/**
 * While less than `freeRequests` are on the way, what is called goes in the same turn of the event loop. Beyond, a
 * request leaves once it carries as much as all that are on the way, or as much as a request should, or has waited for
 * 100 ms: so few calls are not kept waiting, and many go in few requests.
 *
 * A request that fails on the way is made again; between two attempts it keeps nobody waiting. What fails for a reason
 * that may be another call's is sent again without it, so that each call meets its own failures only.
 */
export function createLogSender(settings: Settings, freeRequests: number): LogSender {
  const lanes = openLanes();
  const again: LogGroup[] = [];
  const openBackoff = () => createBackoff(settings.retry);
  let running = 0;
  /** Activities. */
  let onTheWay = 0;
  let gathering = false;
  let hurry: ReturnType<typeof setTimeout> | undefined;
  const start = (late = false) => {
    if (gathering || running >= requestsMax || (again.length === 0 && lanes.calls.size === 0)) return;
    const isMuch = again.length > 0 || isFull(lanes) || lanes.activities >= onTheWay;
    if (running >= freeRequests && !isMuch && !late) {
      hurry ??= setTimeout(() => {
        hurry = undefined;
        start(true);
      }, waitMsMax);
      return;
    }
    clearTimeout(hurry);
    hurry = undefined;
    gathering = true;
    running += 1;
    void run();
  };
  const run = async () => {
    // What comes in the same turn of the event loop goes along.
    await nextTurn();
    gathering = false;
    const groups = takeGroups(again, lanes, openBackoff);
    const taken = groups.flatMap(({ calls }) => calls).reduce((sum, call) => sum + call.activities.length, 0);
    onTheWay += taken;
    start();
    for (const failed of await deliver(settings, groups)) void retry(failed);
    onTheWay -= taken;
    running -= 1;
    start();
  };
  const retry = async ({ group, failure, alone }: FailedGroup) => {
    try {
      await group.backoff.pause(failure, group.left);
      again.push(group);
    } catch {
      const calls = group.calls.filter(({ settled }) => !settled);
      if (mayBeOthers(failure.error) && !alone) again.push(...halve(calls, openBackoff));
      else for (const call of calls) call.reject(failure.error);
    }
    start();
  };
  return {
    send: (call) => {
      addCall(lanes, call);
      start();
    },
  };
}

interface FailedGroup {
  readonly group: LogGroup;
  readonly failure: AttemptFailed;
  /** Whether the request held nothing but one call. */
  readonly alone: boolean;
}

/** Answer the calls of some groups by one request; returns the groups whose calls it could not answer. */
async function deliver(settings: Settings, taken: readonly LogGroup[]): Promise<FailedGroup[]> {
  const groups = taken
    .map((group) => ({ group, calls: group.calls.filter(({ settled }) => !settled) }))
    .filter(({ calls }) => calls.length > 0);
  if (groups.length === 0) return [];
  const inputs = groups.map(({ calls }) => {
    const [{ tenantId, ack }] = calls as [PendingCall];
    return { tenantId, ack, activities: calls.flatMap(({ activities }) => activities) };
  });
  const left = allAborted(groups.map(({ group }) => group.left));
  const answers = await requestLog(settings, inputs, left).catch((failure: AttemptFailed) => failure);
  const alone = groups.length === 1 && groups[0]?.calls.length === 1;
  return groups.flatMap(({ group, calls }, at) => {
    const answer = answers instanceof AttemptFailed ? answers : (answers[at] as (typeof answers)[number]);
    if (answer instanceof AttemptFailed) return [{ group, failure: answer, alone }];
    try {
      answerCalls(calls, answer);
    } catch (cause) {
      const message = 'the answer is none that a server of Annals gives';
      for (const call of calls) call.reject(new AnnalsError({ code: 'internal', message }, { cause }));
    }
    return [];
  });
}

/** Aborted once all are. */
function allAborted(signals: readonly AbortSignal[]): AbortSignal {
  const [only, ...others] = signals as [AbortSignal];
  if (others.length === 0) return only;
  const all = new AbortController();
  const look = () => {
    if (signals.every(({ aborted }) => aborted)) all.abort();
  };
  for (const signal of signals) signal.addEventListener('abort', look, { once: true });
  return all.signal;
}

/** Behind all that this turn of the event loop still does. */
function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (then: () => void) => void };
  return new Promise((resolve) => {
    // Browsers have no other.
    if (setImmediate) setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

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

/** A request that others would not be added to has nothing to wait for, up to this. */
const fullRequestsMax = 16;

/** Sends calls in as few requests as there can be without waiting for any. */
export interface LogSender {
  /** The call is settled sooner or later, and its failure told to it alone. */
  send(call: PendingCall): void;
}

/**
 * While less than `requestsMax` requests are on the way, what is called goes in the same turn of the event loop; else
 * with what has come by the time that one of them is answered, or once that fills a request.
 *
 * A request that fails on the way is made again; between two attempts it keeps nobody waiting. What fails for a reason
 * that may be another call's is sent again without it, so that each call meets its own failures only.
 */
export function createLogSender(settings: Settings, requestsMax: number): LogSender {
  const lanes = openLanes();
  const again: LogGroup[] = [];
  const openBackoff = () => createBackoff(settings.retry);
  let running = 0;
  let gathering = false;
  const start = () => {
    if (gathering || (again.length === 0 && lanes.calls.size === 0)) return;
    if (running >= (isFull(lanes) ? fullRequestsMax : requestsMax)) return;
    gathering = true;
    running += 1;
    void run();
  };
  const run = async () => {
    // What comes in the same turn of the event loop goes along.
    await nextTurn();
    gathering = false;
    const groups = takeGroups(again, lanes, openBackoff);
    start();
    for (const failed of await deliver(settings, groups)) void retry(failed);
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

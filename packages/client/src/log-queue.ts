import { type Ack, AnnalsError } from '@annals/contract';
import type { LogAnswer, PendingCall } from './log-group.ts';
import { createLogSender } from './log-sender.ts';
import type { Settings } from './options.ts';
import type { PreparedActivity } from './prepare-activity.ts';

/** Activities that are sent together, and answered together: no more than one call of `activity.log` takes. */
export interface LogCall {
  /** The client's own where it is undefined. */
  readonly tenantId: string | undefined;
  readonly ack: Ack | undefined;
  readonly activities: readonly PreparedActivity[];
  readonly signal: AbortSignal | undefined;
}

/**
 * What is to be stored by one client. There is no window in which calls wait for others: what is called in the same turn
 * of the event loop goes in one request, and what is called while requests are on the way in the next.
 *
 * Each call is answered as if it had been made alone: by what became of its own activities.
 */
export interface LogQueue {
  /**
   * Errors  `overloaded` where too much waits already; what the server refuses the call for; `unavailable` after as
   *         many attempts as a call is tried; the signal's reason.
   */
  send(call: LogCall): Promise<LogAnswer>;
}

/** Requests that leave however little they carry; measured: docs/adr/0019-calls-share-requests.md. */
const freeRequests = 1;
/** Of those that wait for a checkpoint, which takes seconds, so that none waits for another's. */
const patientRequests = 16;

export function createLogQueue(settings: Settings): LogQueue {
  const { waitingMax } = settings;
  const quick = createLogSender(settings, freeRequests);
  const patient = createLogSender(settings, patientRequests);
  /** What is not answered yet. */
  let activities = 0;
  let bytes = 0;
  const admit = (call: LogCall, callBytes: number) => {
    if (activities + call.activities.length > waitingMax.activities) {
      throw overloaded(`${waitingMax.activities} activities`, waitingMax.activities);
    }
    if (bytes + callBytes > waitingMax.bytes) throw overloaded(`${waitingMax.bytes} bytes`, waitingMax.bytes);
    activities += call.activities.length;
    bytes += callBytes;
  };
  const send = (call: LogCall) =>
    new Promise<LogAnswer>((resolve, reject) => {
      const { signal, ack } = call;
      signal?.throwIfAborted();
      const callBytes = call.activities.reduce((sum, each) => sum + each.bytes + 1, 0);
      admit(call, callBytes);
      const settle = (end: () => void) => {
        if (pending.settled) return;
        pending.settled = true;
        activities -= call.activities.length;
        bytes -= callBytes;
        signal?.removeEventListener('abort', leave);
        end();
      };
      const leave = () => {
        settle(() => reject(signal?.reason as Error));
        pending.onGone?.();
      };
      const pending: PendingCall = {
        tenantId: call.tenantId ?? settings.tenantId,
        ack,
        activities: call.activities,
        bytes: callBytes,
        settled: false,
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      };
      signal?.addEventListener('abort', leave, { once: true });
      (ack === 'sequenced' ? patient : quick).send(pending);
    });
  return { send: async (call) => send(call) };
}

function overloaded(what: string, limit: number): AnnalsError {
  const message = `at most ${what} may wait to be stored at once: await some of them, then try again`;
  return new AnnalsError({ code: 'overloaded', message, limit });
}

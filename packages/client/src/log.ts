import {
  type Ack,
  type ActivityInput,
  AnnalsError,
  type Batch,
  type LogItem,
  type LogResult,
  limits,
} from '@annals/contract';
import type { Annals } from './annals.ts';
import { type LogAnswer, renumber } from './log-group.ts';
import { createLogQueue, type LogQueue } from './log-queue.ts';
import type { CallOptions, Settings } from './options.ts';
import {
  callActivitiesBytesMax,
  type PreparedActivity,
  prepareActivity,
  type RefusedItem,
} from './prepare-activity.ts';

export interface LogOptions extends CallOptions {
  /**
   * When to come back: once the activities are `committed`, which is the default, or `sequenced`, with a signed
   * checkpoint that covers them. That takes a second or two and is waited for up to 10 s, so `timeoutMs` must be
   * longer; the result says which it became.
   */
  readonly ack?: Ack | undefined;
}

/** What a single activity became; a refusal is thrown. */
export type LoggedActivity = Exclude<LogItem, { status: 'refused' }> & {
  readonly ack: Ack;
  /** The signed note that `proof` leads to. */
  readonly checkpoint?: string;
};

/** A stored activity as a line of the file that `annals verify --receipts` reads. */
export function receiptLine(
  tenantId: string,
  { id, batchId, position, leaf }: Extract<LogItem, { status: 'stored' }>,
): string {
  return `${JSON.stringify({ tenantId, id, batchId, position, leaf })}\n`;
}

export function loggingOf(settings: Settings): Pick<Annals, 'log' | 'logMany'> {
  const queue = createLogQueue(settings);
  return {
    log: (activity, options) => log(queue, activity, options),
    logMany: (activities, options) => logMany(queue, activities, options),
  };
}

/** Store one activity. Errors: the reason for which it was refused, with its path within the activity. */
async function log(
  queue: LogQueue,
  activity: ActivityInput,
  { ack, tenantId, signal }: LogOptions = {},
): Promise<LoggedActivity> {
  signal?.throwIfAborted();
  const prepared = prepareActivity(activity, 'activities.0');
  if ('status' in prepared) throw refusalOf(prepared);
  const { results, batches } = await queue.send({ ack, tenantId, signal, activities: [prepared] });
  const [item] = results as [LogItem];
  if (item.status === 'refused') throw refusalOf(item);
  const { checkpoint } = batches[0] ?? {};
  return checkpoint === undefined ? { ...item, ack: 'committed' } : { ...item, ack: 'sequenced', checkpoint };
}

function refusalOf({ code, message, limit, ...item }: RefusedItem): AnnalsError {
  const path = item.path?.replace(/^activities\.0\.?/, '');
  return new AnnalsError({ code, message, ...(path && { path }), ...(limit !== undefined && { limit }) });
}

/**
 * Store any number of activities, in as many calls as they need, one after the other.
 *
 * Returns what became of each, in order; a path begins with `activities.` and the place in the whole list.
 * When a call fails after others have succeeded, its activities and those behind them are refused with its
 * code, since throwing would lose what is known of the first. The failure of the first call is thrown.
 * Each call that stored anything is a batch of its own, which its items name; where it was asked for, each has its
 * own checkpoint, to which the proofs of its items lead.
 */
async function logMany(
  queue: LogQueue,
  activities: readonly ActivityInput[],
  options: LogOptions = {},
): Promise<LogResult> {
  options.signal?.throwIfAborted();
  const results: LogItem[] = [];
  const batches: Batch[] = [];
  const sendable: Numbered[] = [];
  for (const [index, activity] of activities.entries()) {
    const prepared = prepareActivity(activity, `activities.${index}`);
    if ('status' in prepared) results[index] = prepared;
    else sendable.push({ ...prepared, index });
  }
  for (const call of split(sendable)) {
    const answer = await send(queue, call, options).catch((error: unknown) => {
      if (call[0] === sendable[0] || !(error instanceof AnnalsError)) throw error;
      return error;
    });
    if (answer instanceof AnnalsError) {
      for (const { index } of sendable.slice(sendable.indexOf(call[0])))
        results[index] = refused(answer, index);
      break;
    }
    batches.push(...answer.batches);
    for (const [place, item] of answer.results.entries()) {
      const index = call[place]?.index ?? place;
      results[index] = renumber(item, index);
    }
  }
  const count = (status: LogItem['status']) => results.filter((item) => item.status === status).length;
  const covered = batches.length > 0 && batches.every(({ checkpoint }) => checkpoint !== undefined);
  return {
    results,
    stored: count('stored'),
    duplicates: count('duplicate'),
    refused: count('refused'),
    ack: covered ? 'sequenced' : 'committed',
    batches,
  };
}

interface Numbered extends PreparedActivity {
  /** Its place in the caller's list. */
  readonly index: number;
}

type Call = [Numbered, ...Numbered[]];

function split(activities: readonly Numbered[]): Call[] {
  const calls: Call[] = [];
  let bytes = 0;
  for (const activity of activities) {
    const last = calls.at(-1);
    bytes += activity.bytes + 1;
    if (last && last.length < limits.activitiesPerCallMax && bytes <= callActivitiesBytesMax) {
      last.push(activity);
    } else {
      calls.push([activity]);
      bytes = activity.bytes + 1;
    }
  }
  return calls;
}

function send(queue: LogQueue, activities: Call, { ack, tenantId, signal }: LogOptions): Promise<LogAnswer> {
  return queue.send({ ack, tenantId, signal, activities });
}

function refused({ code, message }: AnnalsError, index: number): LogItem {
  return { status: 'refused', code, message, path: `activities.${index}` };
}

import {
  type ActivityInput,
  AnnalsError,
  type ErrorCode,
  type LogItem,
  type LogResult,
} from '@annals/contract';
import type { Entry } from './read-entries.ts';

export type Log = (activities: ActivityInput[]) => Promise<LogResult>;

/** What became of the activities of a batch, in order, or why the call failed. */
export type Settled = { readonly results: LogItem[] } | { readonly cause: unknown };

// Never rejects: a second batch must not fail unseen while the first is awaited.
/** Store the activities of a batch. */
export async function sendBatch(entries: readonly Entry[], log: Log): Promise<Settled> {
  const activities = entries.flatMap((entry) => ('activity' in entry ? [entry.activity] : []));
  try {
    return { results: await logInHalves(activities, log) };
  } catch (cause) {
    return { cause };
  }
}

/** What is too large for one call goes in two. */
async function logInHalves(activities: ActivityInput[], log: Log): Promise<LogItem[]> {
  if (activities.length === 0) return [];
  try {
    return ofItems((await log(activities)).results);
  } catch (error) {
    if (!(error instanceof AnnalsError) || error.code !== 'too_large') throw error;
    if (activities.length === 1) return [{ status: 'refused', code: error.code, message: error.message }];
    const middle = Math.ceil(activities.length / 2);
    return [
      ...(await logInHalves(activities.slice(0, middle), log)),
      ...(await logInHalves(activities.slice(middle), log)),
    ];
  }
}

/** What can be wrong with a single activity; any other code says that a call failed, and the line is unharmed. */
const codesOfItems: readonly string[] = ['invalid_input', 'id_conflict', 'too_large'] satisfies ErrorCode[];

function ofItems(results: LogItem[]): LogItem[] {
  const failed = results.find((item) => item.status === 'refused' && !codesOfItems.includes(item.code));
  if (failed?.status === 'refused') throw new AnnalsError({ code: failed.code, message: failed.message });
  return results;
}

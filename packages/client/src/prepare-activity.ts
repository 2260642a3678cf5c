import { type ActivityInput, AnnalsError, type LogItem, limits } from '@annals/contract';
import { v7 } from 'uuid';
import { isPlainObject, toJson } from './to-json.ts';

/** An activity ready to be sent, however often: a copy of its own, with its id and its time. */
export interface PreparedActivity {
  readonly json: string;
  /** As UTF-8. */
  readonly bytes: number;
}

export type RefusedItem = Extract<LogItem, { status: 'refused' }>;

/** What a call holds besides its activities. */
const envelopeBytesMax = 1_024;

/** The most bytes that the activities of one call may have together, commas included. */
export const callActivitiesBytesMax: number = limits.callBytesMax - envelopeBytesMax;

const utf8 = new TextEncoder();
let sequence = Math.floor(Math.random() * 2 ** 31);

/**
 * Copy an activity, and give it its time and its id before the first attempt: an attempt that is made again
 * is then the same activity. Whatever else is wrong with it, the server says.
 */
export function prepareActivity(activity: ActivityInput, path: string): PreparedActivity | RefusedItem {
  try {
    const json = identify(activity, path);
    const bytes = utf8.encode(json).byteLength;
    return bytes > callActivitiesBytesMax ? tooLarge(path) : { json, bytes };
  } catch (error) {
    if (!(error instanceof AnnalsError)) throw error;
    const { code, message } = error;
    return { status: 'refused', code, message, path: error.path ?? path };
  }
}

// With an idempotency key the id is the server's to derive, and the time the caller's to give.
function identify(activity: unknown, path: string): string {
  // Read once: what a getter answers may change.
  const own: unknown = isPlainObject(activity) ? { ...activity } : JSON.parse(toJson(activity, path));
  const json = toJson(own, path);
  if (!isPlainObject(own) || own['id'] !== undefined || own['idempotencyKey'] !== undefined) return json;
  const timeMs = timeOf(own['occurredAt']);
  // The id's 48 bits hold no other times; the server names what is wrong with them.
  if (!(timeMs >= 0 && timeMs < 2 ** 48)) return json;
  sequence = (sequence + 1) % 2 ** 31;
  const id = `"id":"${v7({ msecs: timeMs, seq: sequence })}"`;
  const time = own['occurredAt'] === undefined ? `,"occurredAt":"${new Date(timeMs).toISOString()}"` : '';
  return json === '{}' ? `{${id}${time}}` : `{${id}${time},${json.slice(1)}`;
}

function timeOf(occurredAt: unknown): number {
  if (occurredAt === undefined) return Date.now();
  if (occurredAt instanceof Date) return occurredAt.getTime();
  if (typeof occurredAt === 'string') return Date.parse(occurredAt);
  // As times of other libraries.
  const text: unknown = JSON.parse(JSON.stringify(occurredAt));
  return typeof text === 'string' ? Date.parse(text) : Number.NaN;
}

function tooLarge(path: string): RefusedItem {
  const limit = limits.activityBytesMax;
  const message = `must be at most ${limit} bytes as JSON`;
  return { status: 'refused', code: 'too_large', message, path, limit };
}

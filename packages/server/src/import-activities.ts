import { setTimeout as delay } from 'node:timers/promises';
import {
  AnnalsError,
  createLineSplitter,
  type ImportedLine,
  type ImportTotals,
  type Line,
  type LogItem,
  type LogResult,
  limits,
} from '@annals/contract';
import { appendActivities, type Context } from '@annals/core';

export interface ImportActivities {
  readonly ctx: Context;
  /** NDJSON, in UTF-8: on each line an activity as `activity.log` takes it. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Told what is done, as it is. */
  readonly totals: { -readonly [Name in keyof ImportTotals]: number };
  readonly onLogged?: ((result: LogResult) => void) | undefined;
  /** Before each group is stored: a caller's key can have been revoked since. */
  readonly authenticate: () => Promise<void>;
}

/** What is stored at once, and how many of these while the next is read. */
const groupLinesMax = limits.activitiesPerCallMax;
const groupBytesMax = 1024 * 1024;
const groupsAtOnceMax = 2;

/**
 * Store activities line by line, of any number, in memory that does not grow with it: nothing more is read than a few
 * groups, until it has been asked what became of the first.
 *
 * Returns the lines in order, group by group, each told once it is stored, a duplicate, or refused.
 * Limits  `activityBytesMax` a line: a longer one is refused, and passed over.
 * Errors  those of `appendActivities`, and of reading; what has been read by then is stored and told before.
 */
export async function* importActivities(options: ImportActivities): AsyncGenerator<ImportedLine[]> {
  const { ctx, totals } = options;
  const inHand: Promise<ImportedLine[]>[] = [];
  const settleFirst = async (): Promise<ImportedLine[]> => {
    const lines = (await inHand.shift()) ?? [];
    for (const line of lines) count(line, totals);
    return lines;
  };
  let failure: { readonly error: unknown } | undefined;
  for await (const group of groupsOf(options.chunks)) {
    // What a caller sent who has gone away ends with the last whole group.
    if (ctx.signal?.aborted) break;
    if ('error' in group) {
      failure = group;
      break;
    }
    const stored = storeGroup(group.entries, options);
    // Its failure is met in its turn.
    stored.catch(() => undefined);
    inHand.push(stored);
    if (inHand.length >= groupsAtOnceMax) yield await settleFirst();
  }
  while (inHand.length > 0) yield await settleFirst();
  if (failure) throw failure.error;
}

type Group = { readonly entries: readonly Entry[] } | { readonly error: unknown };
type Entry = { readonly line: number } & ({ readonly activity: unknown } | { readonly refused: Refused });
type Refused = Extract<LogItem, { status: 'refused' }>;

/** With why reading failed as the last, if it did: behind what was read before. */
async function* groupsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Group> {
  const splitter = createLineSplitter({ lineBytesMax: limits.activityBytesMax });
  let group: Entry[] = [];
  let bytes = 0;
  const isFull = () => group.length >= groupLinesMax || bytes >= groupBytesMax;
  const add = (line: Line) => {
    group.push(toEntry(line));
    bytes += line.bytes;
  };
  const take = (): Group => {
    const entries = group;
    group = [];
    bytes = 0;
    return { entries };
  };
  let failure: Group | undefined;
  try {
    for await (const chunk of chunks) {
      for (const line of splitter.push(chunk)) {
        add(line);
        if (isFull()) yield take();
      }
    }
    for (const line of splitter.end()) add(line);
  } catch (error) {
    failure = { error };
  }
  if (group.length > 0) yield take();
  if (failure) yield failure;
}

function toEntry(line: Line): Entry {
  if ('text' in line) return { line: line.number, ...parse(line.text) };
  if (line.problem === 'not_utf8') return { line: line.number, refused: invalid('must be UTF-8') };
  const limit = limits.activityBytesMax;
  const message = `must be at most ${limit} bytes`;
  return { line: line.number, refused: { status: 'refused', code: 'too_large', message, limit } };
}

function parse(text: string): { activity: unknown } | { refused: Refused } {
  try {
    return { activity: JSON.parse(text) as unknown };
  } catch {
    return { refused: invalid('must be JSON') };
  }
}

function invalid(message: string): Refused {
  return { status: 'refused', code: 'invalid_input', message };
}

async function storeGroup(entries: readonly Entry[], options: ImportActivities): Promise<ImportedLine[]> {
  const activities = entries.flatMap((entry) => ('activity' in entry ? [entry.activity] : []));
  const results = activities.length > 0 ? (await append(activities, options)).results : [];
  let next = 0;
  return entries.map((entry) => {
    const item = 'refused' in entry ? entry.refused : withinActivity(results[next++] as LogItem);
    return { line: entry.line, ...item };
  });
}

/** How long there may be no room for a group. */
const overloadedMsMax = 60_000;

/** Whoever imports can wait: that others have filled the queue is no reason to break off. */
async function append(activities: readonly unknown[], options: ImportActivities): Promise<LogResult> {
  const { ctx, onLogged, authenticate } = options;
  await authenticate();
  for (let waitedMs = 0, pauseMs = 10; ; waitedMs += pauseMs, pauseMs = Math.min(1_000, pauseMs * 2)) {
    try {
      const result = await appendActivities({ ctx, input: { activities } });
      onLogged?.(result);
      return result;
    } catch (error) {
      const full = error instanceof AnnalsError && error.code === 'overloaded';
      if (!full || waitedMs > overloadedMsMax) throw error;
      await delay(pauseMs, undefined, { signal: ctx.signal });
    }
  }
}

/** The place of an activity in its group says nothing to the caller. */
function withinActivity(item: LogItem): LogItem {
  if (item.status !== 'refused') return item;
  const { path: whole = '', ...told } = item;
  const path = whole.replace(/^activities\.\d+\.?/, '');
  return path === '' ? told : { ...told, path };
}

function count({ status }: LogItem, totals: ImportActivities['totals']): void {
  totals.lines += 1;
  if (status === 'stored') totals.stored += 1;
  else if (status === 'duplicate') totals.duplicates += 1;
  else totals.refused += 1;
}

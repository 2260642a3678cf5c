import {
  type ActivityInput,
  AnnalsError,
  type ErrorCode,
  type LogItem,
  type LogResult,
} from '@annals/contract';
import type { Input } from './open-input.ts';
import type { Refusal, ToActivity } from './outcome.ts';
import { parseLine } from './parse-line.ts';
import { type Line, readLines } from './read-lines.ts';

/** What became of the lines of a file. Blank lines do not count; the three ends add up to `lines`. */
export interface Totals {
  readonly file: string;
  lines: number;
  stored: number;
  duplicates: number;
  refused: number;
  /** Why the file could not be read to its end. */
  problem?: string;
}

/** A refused line, as `--rejects` writes it. `raw` is absent where the line is no text or too long. */
export interface Reject extends Refusal {
  readonly file: string;
  readonly line: number;
  readonly raw?: string;
}

export interface ImportOptions {
  readonly inputs: readonly Input[];
  readonly toActivity: ToActivity;
  readonly log: (activities: ActivityInput[]) => Promise<LogResult>;
  readonly onReject?: (reject: Reject) => void | Promise<void>;
  readonly onProgress?: (lines: number) => void;
  /** Aborting it ends the import after the batches in hand. */
  readonly signal?: AbortSignal;
}

export interface ImportResult {
  readonly files: Totals[];
  /** Where the import ended early, and why; all before is done, and nothing after. */
  readonly stopped?: Stop & { readonly file: string };
}

export const importLimits = {
  /** A line; of which metadata may leave out parts, so more than an activity may have. */
  lineBytesMax: 1024 * 1024,
  batchLinesMax: 500,
  /** Of raw lines; a call takes four times that. */
  batchBytesMax: 1024 * 1024,
  batchesInFlight: 2,
} as const;

type Entry = { readonly line: number; readonly raw?: string } & (
  | { readonly activity: ActivityInput }
  | { readonly refusal: Refusal }
);

/**
 * Store the activities of some files, in order, a few batches at a time.
 *
 * Every line ends as stored, duplicate or refused. Memory does not grow with the files. A file that cannot be
 * read to its end keeps what came before. When the server stays away or refuses a whole call the import stops
 * with `stopped`; since ids derive from the content, the same import again goes on where it stopped.
 */
export async function importFiles(options: ImportOptions): Promise<ImportResult> {
  const files: Totals[] = [];
  for (const input of options.inputs) {
    const totals: Totals = { file: input.name, lines: 0, stored: 0, duplicates: 0, refused: 0 };
    files.push(totals);
    const stopped = await importFile(input, totals, options);
    if (stopped) return { files, stopped: { file: input.name, ...stopped } };
  }
  return { files };
}

interface Stop {
  readonly line: number;
  readonly cause?: unknown;
}

async function importFile(input: Input, totals: Totals, options: ImportOptions): Promise<Stop | undefined> {
  const { signal, log } = options;
  const inFlight: { entries: Entry[]; results: Promise<Settled> }[] = [];
  const settleFirst = async (): Promise<Stop | undefined> => {
    const [batch] = inFlight.splice(0, 1);
    if (batch === undefined) return undefined;
    const settled = await batch.results;
    if ('cause' in settled) return { line: batch.entries[0]?.line ?? 0, cause: settled.cause };
    await record({ entries: batch.entries, results: settled.results, totals, options });
    options.onProgress?.(totals.lines);
    return undefined;
  };
  const settleAll = async (): Promise<Stop | undefined> => {
    let first: Stop | undefined;
    while (inFlight.length > 0) {
      const stop = await settleFirst();
      first ??= stop;
    }
    return first;
  };
  let nextLine = 1;
  try {
    for await (const entries of batches(input.open(signal), options)) {
      if (signal?.aborted) break;
      inFlight.push({ entries, results: send(entries, log) });
      nextLine = (entries.at(-1)?.line ?? 0) + 1;
      const stop = inFlight.length >= importLimits.batchesInFlight ? await settleFirst() : undefined;
      if (stop) {
        await settleAll();
        return stop;
      }
    }
  } catch (error) {
    if (!signal?.aborted) totals.problem = `cannot be read to its end: ${(error as Error).message}`;
  }
  return (await settleAll()) ?? (signal?.aborted ? { line: nextLine } : undefined);
}

async function* batches(chunks: AsyncIterable<Uint8Array>, options: ImportOptions): AsyncGenerator<Entry[]> {
  let entries: Entry[] = [];
  let bytes = 0;
  for await (const line of readLines(chunks, importLimits)) {
    if (entries.length > 0 && bytes + line.bytes > importLimits.batchBytesMax) {
      yield entries;
      entries = [];
      bytes = 0;
    }
    entries.push(toEntry(line, options.toActivity));
    bytes += line.bytes;
    if (entries.length >= importLimits.batchLinesMax) {
      yield entries;
      entries = [];
      bytes = 0;
    }
  }
  if (entries.length > 0) yield entries;
}

function toEntry(line: Line, toActivity: ToActivity): Entry {
  if (!('text' in line)) {
    const refusal: Refusal =
      line.problem === 'not_utf8'
        ? { code: 'invalid_input', message: 'is not UTF-8' }
        : {
            code: 'too_large',
            message: `is ${line.bytes} bytes long: at most ${importLimits.lineBytesMax} are read`,
          };
    return { line: line.number, refusal };
  }
  const parsed = parseLine(line.text);
  const mapped = 'refusal' in parsed ? parsed : toActivity(parsed.object);
  return { line: line.number, raw: line.text, ...mapped };
}

type Settled = { readonly results: LogItem[] } | { readonly cause: unknown };

// Never rejects: a second batch must not fail unseen while the first is awaited.
async function send(entries: readonly Entry[], log: ImportOptions['log']): Promise<Settled> {
  const activities = entries.flatMap((entry) => ('activity' in entry ? [entry.activity] : []));
  try {
    return { results: await logInHalves(activities, log) };
  } catch (cause) {
    return { cause };
  }
}

/** What is too large for one call goes in two. */
async function logInHalves(activities: ActivityInput[], log: ImportOptions['log']): Promise<LogItem[]> {
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

async function record(batch: {
  entries: readonly Entry[];
  results: readonly LogItem[];
  totals: Totals;
  options: ImportOptions;
}): Promise<void> {
  const { entries, results, totals, options } = batch;
  let next = 0;
  for (const entry of entries) {
    totals.lines += 1;
    const refusal = 'refusal' in entry ? entry.refusal : countResult(results[next++], totals);
    if (refusal === undefined) continue;
    totals.refused += 1;
    const { code, path, message } = refusal;
    await options.onReject?.({
      file: totals.file,
      line: entry.line,
      code,
      ...(path !== undefined && { path }),
      message,
      ...(entry.raw !== undefined && { raw: entry.raw }),
    });
  }
}

function countResult(result: LogItem | undefined, totals: Totals): Refusal | undefined {
  if (result === undefined) return { code: 'internal', message: 'the server gave no result for this line' };
  if (result.status === 'stored') totals.stored += 1;
  else if (result.status === 'duplicate') totals.duplicates += 1;
  else return { ...result, path: result.path?.replace(/^activities\.\d+\.?/, '') || undefined };
  return undefined;
}

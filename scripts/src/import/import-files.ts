import type { LogItem } from '@annals/contract';
import type { Input } from './open-input.ts';
import type { Refusal, ToActivity } from './outcome.ts';
import { type Entry, importLimits, readEntries } from './read-entries.ts';
import { type Log, type Settled, sendBatch } from './send-batch.ts';

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
  readonly log: Log;
  readonly onReject?: (reject: Reject) => void | Promise<void>;
  readonly onProgress?: (lines: number) => void;
  /** Aborting it ends the import after the batches in hand. */
  readonly signal?: AbortSignal;
}

export interface ImportResult {
  readonly files: Totals[];
  /** Where the import ended early, and why. All before that line is done. */
  readonly stopped?: Stop & { readonly file: string };
}

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
  const { signal, log, toActivity } = options;
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
  const onBroken = (error: Error) => {
    totals.problem = `cannot be read to its end: ${error.message}`;
  };
  for await (const entries of readEntries(input, { toActivity, signal, onBroken })) {
    if (signal?.aborted) break;
    inFlight.push({ entries, results: sendBatch(entries, log) });
    nextLine = (entries.at(-1)?.line ?? 0) + 1;
    const stop = inFlight.length >= importLimits.batchesInFlight ? await settleFirst() : undefined;
    if (stop) {
      await settleAll();
      return stop;
    }
  }
  const cut = signal?.aborted ?? false;
  return (await settleAll()) ?? (cut ? { line: nextLine } : undefined);
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

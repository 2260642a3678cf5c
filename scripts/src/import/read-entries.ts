import type { ActivityInput, Line } from '@annals/contract';
import type { Input } from './open-input.ts';
import type { Refusal, ToActivity } from './outcome.ts';
import { parseLine } from './parse-line.ts';
import { readLines } from './read-lines.ts';

export const importLimits = {
  /** A line; of which metadata may leave out parts, so more than an activity may have. */
  lineBytesMax: 1024 * 1024,
  batchLinesMax: 500,
  /** Of raw lines; a call takes four times that. */
  batchBytesMax: 1024 * 1024,
  batchesInFlight: 2,
} as const;

/** One line of a file: the activity that it means, or why it means none. */
export type Entry = { readonly line: number; readonly raw?: string } & (
  | { readonly activity: ActivityInput }
  | { readonly refusal: Refusal }
);

export interface ReadEntries {
  readonly toActivity: ToActivity;
  readonly signal?: AbortSignal | undefined;
  /** Told why the input ends before its end; what came before is still given. */
  readonly onBroken: (error: Error) => void;
}

/** The lines of an input, a batch at a time; none after an abort. */
export async function* readEntries(
  input: Input,
  { toActivity, signal, onBroken }: ReadEntries,
): AsyncGenerator<Entry[]> {
  let entries: Entry[] = [];
  let bytes = 0;
  const take = () => {
    const taken = entries;
    entries = [];
    bytes = 0;
    return taken;
  };
  try {
    for await (const line of readLines(input.open(signal), importLimits)) {
      if (entries.length > 0 && bytes + line.bytes > importLimits.batchBytesMax) yield take();
      entries.push(toEntry(line, toActivity));
      bytes += line.bytes;
      if (entries.length >= importLimits.batchLinesMax) yield take();
    }
  } catch (error) {
    // Only reading fails in here: what a consumer throws never comes back into a generator.
    if (!signal?.aborted) onBroken(error as Error);
  }
  if (entries.length > 0) yield take();
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

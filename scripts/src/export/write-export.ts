import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ActivityExport } from '@annals/client';
import { createCsvStream, csvRow } from './csv.ts';

export const exportFormats = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface WriteExport {
  readonly activities: ActivityExport;
  readonly format: ExportFormat;
  readonly gzip: boolean;
  readonly to: Writable;
  /** Whether to end it too. */
  readonly end: boolean;
  readonly limit?: number | undefined;
  readonly onWritten?: (activities: number) => void;
  readonly signal?: AbortSignal;
}

/** Some activities as they are written: lines of NDJSON, or rows. */
interface Portion<Content> {
  readonly content: Content;
  readonly count: number;
}

/**
 * Write activities as they come and only as fast as the reader takes them; returns how many.
 *
 * NDJSON is what `annals import --format annals` reads, as the server wrote it; CSV is for spreadsheets.
 */
export async function writeExport(options: WriteExport): Promise<number> {
  const { activities, format, gzip, to, end, signal, limit = Number.POSITIVE_INFINITY } = options;
  const counted = countWritten(options);
  const source =
    format === 'ndjson'
      ? counted.through(lines(activities, limit))
      : counted.through(rows(activities, limit));
  const steps = [...(format === 'csv' ? [createCsvStream()] : []), ...(gzip ? [createGzip()] : [])];
  try {
    await pipeline([Readable.from(source), ...steps, to], { end, ...(signal && { signal }) });
  } finally {
    // What is on its way still needs what the caller is about to close.
    await counted.settled();
  }
  return counted.written();
}

/** Counts once more is asked for; `settled` when none is on its way. */
function countWritten({ onWritten }: WriteExport) {
  let written = 0;
  let begun = false;
  const ended = Promise.withResolvers<void>();
  async function* through<Content>(portions: AsyncIterable<Portion<Content>>): AsyncGenerator<Content> {
    begun = true;
    try {
      for await (const { content, count } of portions) {
        yield content;
        written += count;
        onWritten?.(written);
      }
    } finally {
      ended.resolve();
    }
  }
  return {
    through,
    written: () => written,
    settled: () => (begun ? ended.promise : Promise.resolve()),
  };
}

async function* lines(activities: ActivityExport, limit: number): AsyncGenerator<Portion<string>> {
  let missing = limit;
  for await (const { text, count } of activities.lines()) {
    if (count >= missing) {
      yield { content: firstLines(text, missing), count: missing };
      return;
    }
    yield { content: text, count };
    missing -= count;
  }
}

function firstLines(text: string, count: number): string {
  let end = 0;
  for (let line = 0; line < count; line += 1) end = text.indexOf('\n', end) + 1;
  return text.slice(0, end);
}

async function* rows(activities: ActivityExport, limit: number): AsyncGenerator<Portion<string[]>> {
  let missing = limit;
  for await (const activity of activities) {
    yield { content: csvRow(activity), count: 1 };
    missing -= 1;
    if (missing <= 0) return;
  }
}

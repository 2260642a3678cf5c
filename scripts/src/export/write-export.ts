import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Activity } from '@annals/contract';
import { createCsvStream, csvRow } from './csv.ts';

export const exportFormats = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface WriteExport {
  readonly pages: AsyncIterable<{ readonly activities: readonly Activity[] }>;
  readonly format: ExportFormat;
  readonly gzip: boolean;
  readonly to: Writable;
  /** Whether to end it too. */
  readonly end: boolean;
  readonly limit?: number | undefined;
  readonly onWritten?: (activities: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Write pages of activities as they come and only as fast as the reader takes them; returns how many.
 *
 * NDJSON is what `annals import --format annals` reads; CSV is for spreadsheets.
 */
export async function writeExport(options: WriteExport): Promise<number> {
  const { format, gzip, to, end, signal } = options;
  const taken = takePages(options);
  const source = Readable.from(format === 'ndjson' ? lines(taken.pages) : rows(taken.pages));
  const steps = [...(format === 'csv' ? [createCsvStream()] : []), ...(gzip ? [createGzip()] : [])];
  try {
    await pipeline([source, ...steps, to], { end, ...(signal && { signal }) });
  } finally {
    // A page that is on its way still needs what the caller is about to close.
    await taken.settled();
  }
  return taken.written();
}

/** The pages up to the limit, counted once the next is asked for; `settled` when none is on its way. */
function takePages({ pages, limit = Number.POSITIVE_INFINITY, onWritten }: WriteExport) {
  let written = 0;
  let begun = false;
  const ended = Promise.withResolvers<void>();
  async function* take(): AsyncGenerator<readonly Activity[]> {
    begun = true;
    try {
      for await (const page of pages) {
        const activities = page.activities.slice(0, limit - written);
        yield activities;
        written += activities.length;
        onWritten?.(written);
        if (written >= limit) return;
      }
    } finally {
      ended.resolve();
    }
  }
  return {
    pages: take(),
    written: () => written,
    settled: () => (begun ? ended.promise : Promise.resolve()),
  };
}

async function* lines(pages: AsyncIterable<readonly Activity[]>): AsyncGenerator<string> {
  for await (const page of pages) {
    if (page.length > 0) yield `${page.map((activity) => JSON.stringify(activity)).join('\n')}\n`;
  }
}

async function* rows(pages: AsyncIterable<readonly Activity[]>): AsyncGenerator<string[]> {
  for await (const page of pages) for (const activity of page) yield csvRow(activity);
}

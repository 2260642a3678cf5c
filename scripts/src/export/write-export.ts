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
  /** Ended by this, unless it is the process's own. */
  readonly to: Writable;
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
  const { format, gzip, to, signal } = options;
  let written = 0;
  async function* take(): AsyncGenerator<readonly Activity[]> {
    for await (const page of options.pages) {
      const activities = page.activities.slice(0, (options.limit ?? Number.POSITIVE_INFINITY) - written);
      yield activities;
      written += activities.length;
      options.onWritten?.(written);
      if (options.limit !== undefined && written >= options.limit) return;
    }
  }
  const source = Readable.from(format === 'ndjson' ? lines(take()) : rows(take()), { objectMode: true });
  const steps = [...(format === 'csv' ? [createCsvStream()] : []), ...(gzip ? [createGzip()] : [])];
  const end = to !== process.stdout;
  await pipeline([source, ...steps, to], { end, ...(signal && { signal }) });
  return written;
}

async function* lines(pages: AsyncIterable<readonly Activity[]>): AsyncGenerator<string> {
  for await (const page of pages) {
    if (page.length > 0) yield `${page.map((activity) => JSON.stringify(activity)).join('\n')}\n`;
  }
}

async function* rows(pages: AsyncIterable<readonly Activity[]>): AsyncGenerator<string[]> {
  for await (const page of pages) for (const activity of page) yield csvRow(activity);
}

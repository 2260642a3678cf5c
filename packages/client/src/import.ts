import type { ActivityInput, ImportedLine, ImportTotals } from '@annals/contract';
import type { CallOptions } from './options.ts';
import type { Transport } from './transport.ts';

/** Activities one by one, or the bytes of NDJSON with one as JSON on each line, in any parts. */
export type ImportSource<Item = ActivityInput | Uint8Array> = AsyncIterable<Item> | Iterable<Item>;

export interface ImportOptions extends CallOptions {
  /** Tell of each line, as it is unless told otherwise, or only of those that are refused. */
  readonly results?: 'all' | 'failures' | undefined;
  /** Whether the bytes are gzip. */
  readonly gzip?: boolean | undefined;
}

/** What became of each line, in order, while the source is read. It runs once. */
export interface ActivityImport extends AsyncIterable<ImportedLine> {
  /** What became of all, at the end; runs the import if nobody iterates over it. */
  totals(): Promise<ImportTotals>;
}

/** See `Annals.import`. */
export function importActivities(
  transport: Transport,
  source: ImportSource,
  options: ImportOptions = {},
): ActivityImport {
  const ended = Promise.withResolvers<ImportTotals>();
  // Who iterates meets the failure there.
  ended.promise.catch(() => undefined);
  let begun = false;
  async function* run(results: ImportOptions['results']): AsyncGenerator<ImportedLine, void> {
    begun = true;
    try {
      // Most programs import nothing, and should not load what does.
      const { readImport } = await import('./read-import.ts');
      ended.resolve(yield* readImport(transport, { source, ...options, results }));
    } catch (error) {
      ended.reject(error);
      throw error;
    } finally {
      ended.reject(new Error('the import was left before its end'));
    }
  }
  return {
    [Symbol.asyncIterator]: () => run(options.results),
    totals: async () => {
      if (!begun) for await (const _ of run('failures'));
      return ended.promise;
    },
  };
}

import { type RawBuilder, sql } from 'kysely';
import type { Gathered } from './gather-rows.ts';

/** The records of a page as NDJSON. */
export interface GatheredLines extends Gathered {
  /** Whole lines each. */
  pieces(): readonly Uint8Array[];
  bytes(): number;
  count(): number;
}

/** What is to be selected of each record for it. */
export function lineColumns(line: RawBuilder<string>): RawBuilder<unknown> {
  return sql`id, ${line} as line`;
}

interface Line {
  readonly id: string;
  readonly line: string;
}

/** Few enough to be held where each is as large as can be, whatever those before were like. */
const rowsAtOnceMax = 512;
const rowsAtOnceMin = 64;

/**
 * Ends once it holds `bytesMax`, or somewhat more: as much as is asked for at once, an eighth of the records or
 * `rowsAtOnceMax`. While the driver has not read the last of them the database waits, so that fewer at once
 * would take it longer.
 */
export function gatherLines({
  limit,
  bytesMax,
}: {
  readonly limit: number;
  readonly bytesMax: number;
}): GatheredLines {
  const rowsAtOnce = Math.min(rowsAtOnceMax, Math.max(rowsAtOnceMin, Math.ceil(limit / 8)));
  // As bytes at once: texts that are held for as long as a chunk takes would outlive the quick collections of garbage.
  const pieces: Buffer[] = [];
  let bytes = 0;
  let last: string | undefined;
  let count = 0;
  return {
    pieces: () => pieces,
    bytes: () => bytes,
    count: () => count,
    last: () => last,
    missing: () => limit - count,
    add: async (tx, select) => {
      const statement = select(limit - count) as RawBuilder<unknown> as RawBuilder<Line>;
      for await (const rows of oneAhead(tx.stream(statement, rowsAtOnce))) {
        if (rows.length === 0) continue;
        const piece = Buffer.from(`${rows.map(({ line }) => line).join('\n')}\n`);
        pieces.push(piece);
        bytes += piece.length;
        count += rows.length;
        last = rows.at(-1)?.id ?? last;
        if (bytes >= bytesMax && count < limit) return true;
      }
      return false;
    },
  };
}

/** While some are in use the database is at the next. */
async function* oneAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const ask = () => {
    const next = iterator.next();
    // Its failure is met once those before it have been used.
    next.catch(() => undefined);
    return next;
  };
  try {
    for (let coming = ask(); ; ) {
      const { value, done } = await coming;
      if (done) return;
      coming = ask();
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

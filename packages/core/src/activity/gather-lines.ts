import { type RawBuilder, sql } from 'kysely';
import type { Gathered } from './gather-rows.ts';

/** The records of a page as NDJSON. */
export interface GatheredLines extends Gathered {
  text(): string;
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

/** Few enough to be held where each is as large as can be, and enough that asking for them costs little. */
const rowsAtOnce = 128;

/** Ends once it holds `bytesMax`, or somewhat more: `rowsAtOnce` records at most. */
export function gatherLines({
  limit,
  bytesMax,
}: {
  readonly limit: number;
  readonly bytesMax: number;
}): GatheredLines {
  let text = '';
  let last: string | undefined;
  let count = 0;
  return {
    text: () => text,
    count: () => count,
    last: () => last,
    missing: () => limit - count,
    add: async (tx, select) => {
      const statement = select(limit - count) as RawBuilder<unknown> as RawBuilder<Line>;
      for await (const rows of oneAhead(tx.stream(statement, rowsAtOnce))) {
        for (const row of rows) text += `${row.line}\n`;
        count += rows.length;
        last = rows.at(-1)?.id ?? last;
        if (text.length >= bytesMax && count < limit) return true;
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

import { limits } from '@annals/contract';
import type { RawBuilder } from 'kysely';
import type { Tx } from '../database/database.ts';
import type { PageRow } from './select-rows.ts';

/** What one statement after the other finds, as a page. */
export interface Gathered {
  /** Id of the last record; undefined while there is none. */
  last(): string | undefined;
  /** How many more there may be. */
  missing(): number;
  /** Add those of a statement; true where they have come to hold all that a page may before they were enough. */
  add(tx: Tx, select: (limit: number) => RawBuilder<PageRow>): Promise<boolean>;
}

/** The rows of a page. */
export interface GatheredRows extends Gathered {
  readonly rows: readonly PageRow[];
}

/** As many as hold a page's worth where each is as large as can be: no more are ever held beside it. */
export const rowsAtOnce = Math.floor(limits.pageBytesMax / limits.activityBytesMax);

export function gatherRows(limit: number): GatheredRows {
  const rows: PageRow[] = [];
  let bytes = 0;
  const missing = () => limit - rows.length;
  const take = (portion: readonly PageRow[]): boolean => {
    for (const row of portion) {
      rows.push(row);
      bytes += jsonBytes(row);
      if (bytes >= limits.pageBytesMax && missing() > 0) return true;
    }
    return false;
  };
  return {
    rows,
    last: () => rows.at(-1)?.id,
    missing,
    add: async (tx, select) => {
      const statement = select(missing());
      if (missing() <= rowsAtOnce) return take(await tx.query(statement));
      for await (const some of tx.stream(statement, rowsAtOnce)) if (take(some)) return true;
      return false;
    },
  };
}

/** About how long a value is as JSON. */
function jsonBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += jsonBytes(item) + 1;
  else for (const key of Object.keys(value)) bytes += key.length + 4 + jsonBytes((value as Row)[key]);
  return bytes;
}

type Row = Readonly<Record<string, unknown>>;

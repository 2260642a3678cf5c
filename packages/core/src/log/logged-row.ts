import { decodeOpenings, type LoggedRecord, type Opening } from '@annals/tlog';
import { type RawBuilder, sql } from 'kysely';
import { type ActivityRow, rowColumns, toActivity } from '../activity/row.ts';

/** A row as `loggedColumns` selects it. */
export interface LoggedRow extends ActivityRow {
  readonly own: boolean;
  readonly seed: Buffer | null;
  readonly openings: Buffer | null;
}

/** What to select for `toLoggedRecord` and `openingOf`. */
export const loggedColumns: RawBuilder<unknown> = sql`${rowColumns}, own, seed, openings`;

/** The whole record, as the log commits to it. */
export function toLoggedRecord(row: LoggedRow): LoggedRecord {
  return { ...toActivity(row, { personal: true }), own: row.own };
}

/** What opens the record's entry; undefined where an erasure found that nothing did. Errors: TlogError. */
export function openingOf({ seed, openings }: LoggedRow): Opening | undefined {
  if (seed) return { seed };
  return openings ? { openings: decodeOpenings(openings) } : undefined;
}

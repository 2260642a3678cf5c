import type { RawBuilder } from 'kysely';
import type { ActivityRow } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import { examine, type Key, readRows } from './examine.ts';

export interface Bite {
  /** How many activities were looked at. */
  readonly examined: number;
  /** The wanted ones among them. */
  readonly rows: ActivityRow[];
}

/** Nothing is locked, so that larger bites than a run's harm nobody. */
const biteSize = 10_000;

/** Beyond every activity. */
const latestMs = Date.UTC(9999, 11, 31);

/** All wanted activities of the tenant until a time (in milliseconds since 1970) in the order of time, in bites, for what only looks. */
export async function* walkRows(tx: Tx, wanted: RawBuilder<boolean>, until = latestMs): AsyncGenerator<Bite> {
  for (let after: Key | undefined; ; ) {
    const bite = await examine(tx, { after, until, limit: biteSize, wanted });
    yield { examined: bite.examined, rows: await readRows(tx, bite.wanted) };
    if (bite.examined < biteSize) return;
    after = bite.last;
  }
}

import type { Tx } from '../database/database.ts';
import { type CountOf, createTally } from '../plan/tally.ts';
import { anonymizeRow } from './anonymize-row.ts';
import { examine, type Key, readRows } from './examine.ts';
import type { Person } from './person.ts';
import { identifiersIn } from './row-texts.ts';
import { canConcern } from './wanted.ts';

/** What a run would find of a person. */
export interface Survey {
  /** Activities looked at, and those of them that would change. */
  readonly examined: number;
  readonly activities: number;
  readonly byField: CountOf[];
  readonly byMonth: CountOf[];
  /** In how many activities each identifier of the person's matcher occurs, in its order. */
  readonly byIdentifier: readonly number[];
  readonly sampleIds: readonly string[];
}

export const sampleSize = 10;

/** Nothing is locked, so that larger bites than a run's harm nobody. */
const biteSize = 10_000;

/** Look through all activities of the tenant as a run would, and change nothing. */
export async function survey(tx: Tx, person: Person): Promise<Survey> {
  const fields = createTally();
  const months = createTally();
  const byIdentifier = person.matcher.identifiers.map(() => 0);
  const sampleIds: string[] = [];
  let activities = 0;
  let examined = 0;
  for (let after: Key | undefined; ; ) {
    const bite = await examine(tx, {
      after,
      until: latestMs,
      limit: biteSize,
      wanted: canConcern(person),
    });
    for (const row of await readRows(tx, bite.wanted, { lock: false })) {
      const erasure = anonymizeRow(row, { person });
      if (!erasure) continue;
      activities += 1;
      months.add(monthOf(row.occurred_ms));
      for (const name of erasure.names) fields.add(name);
      for (const index of identifiersIn(row, person)) byIdentifier[index] = (byIdentifier[index] ?? 0) + 1;
      if (sampleIds.length < sampleSize) sampleIds.push(String(row['id']));
    }
    examined += bite.examined;
    if (bite.examined < biteSize) break;
    after = bite.last;
  }
  return {
    examined,
    activities,
    byField: fields.counts(),
    byMonth: inOrder(months.counts()),
    byIdentifier,
    sampleIds,
  };
}

/** Beyond every activity. */
const latestMs = Date.UTC(9999, 11, 31);

/** As 2026-01. */
export function monthOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7);
}

function inOrder(counts: readonly CountOf[]): CountOf[] {
  return counts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

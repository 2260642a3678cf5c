import { every } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { activeHolds } from '../hold/active-holds.ts';
import { createHeldTally, type HeldCounts } from '../hold/held-tally.ts';
import { isErasable } from '../job/own-actions.ts';
import { type CountOf, createTally } from '../plan/tally.ts';
import { anonymizeRow } from './anonymize-row.ts';
import type { Person } from './person.ts';
import { identifiersIn } from './row-texts.ts';
import { walkRows } from './walk-rows.ts';
import { canConcern } from './wanted.ts';

/** What a run would find of a person. */
export interface Survey extends HeldCounts {
  /** Activities looked at, and those of them that would change; without the held ones. */
  readonly examined: number;
  readonly activities: number;
  readonly byField: CountOf[];
  readonly byMonth: CountOf[];
  /** In how many activities each identifier of the person's matcher occurs, in its order; held ones too. */
  readonly byIdentifier: readonly number[];
  readonly sampleIds: readonly string[];
}

export const sampleSize = 10;

/** Look through all activities of the tenant as a run would, and change nothing. */
export async function survey(tx: Tx, person: Person): Promise<Survey> {
  const holds = await activeHolds(tx);
  const heldTally = createHeldTally(holds);
  const fields = createTally();
  const months = createTally();
  const byIdentifier = person.matcher.identifiers.map(() => 0);
  const sampleIds: string[] = [];
  let activities = 0;
  let examined = 0;
  for await (const bite of walkRows(tx, every([isErasable, canConcern(person)]))) {
    const found = bite.rows.flatMap((row) => {
      const erasure = anonymizeRow(row, { person });
      return erasure ? [{ row, erasure }] : [];
    });
    const held = await holds.among(found.map(({ row }) => row));
    for (const { row, erasure } of found) {
      for (const index of identifiersIn(row, person)) byIdentifier[index] = (byIdentifier[index] ?? 0) + 1;
      const by = held.get(String(row['id']));
      if (by) {
        heldTally.add(by);
        continue;
      }
      activities += 1;
      months.add(monthOf(row.occurred_ms));
      for (const name of erasure.names) fields.add(name);
      if (sampleIds.length < sampleSize) sampleIds.push(String(row['id']));
    }
    examined += bite.examined;
  }
  return {
    examined,
    activities,
    ...heldTally.counts(),
    byField: fields.counts(),
    byMonth: inOrder(months.counts()),
    byIdentifier,
    sampleIds,
  };
}

/** As 2026-01. */
export function monthOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7);
}

function inOrder(counts: readonly CountOf[]): CountOf[] {
  return counts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

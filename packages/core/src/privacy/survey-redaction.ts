import { sql } from 'kysely';
import { type Condition, every } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { activeHolds } from '../hold/active-holds.ts';
import { freeSuspects } from '../hold/free-suspects.ts';
import { createHeldTally, type HeldCounts } from '../hold/held-tally.ts';
import { type CountOf, createTally } from '../plan/tally.ts';
import { hasField, type RedactField } from './redact-fields.ts';
import type { Redaction } from './redact-request.ts';
import { sampleSize } from './survey.ts';

interface Found {
  readonly activities: number;
  readonly byField: CountOf[];
  readonly byMonth: CountOf[];
  readonly sampleIds: string[];
}

/** What a run would redact, and what holds keep from it. */
export interface RedactionSurvey extends Found, HeldCounts {}

/** Count what a run would change, and change nothing. */
export async function surveyRedaction(tx: Tx, { fields, where }: Redaction): Promise<RedactionSurvey> {
  const holds = await activeHolds(tx);
  const held = createHeldTally(holds);
  let found = await find(tx, fields, every([where, sql`not ${holds.canHold}`]));
  for await (const part of freeSuspects(tx, { holds, where, held })) {
    found = together(found, await find(tx, fields, part));
  }
  return { ...found, ...held.counts() };
}

async function find(tx: Tx, fields: readonly RedactField[], where: Condition): Promise<Found> {
  return {
    ...(await count(tx, fields, where)),
    byMonth: await countByMonth(tx, where),
    sampleIds: await sample(tx, where),
  };
}

function together(a: Found, b: Found): Found {
  const months = createTally(a.byMonth);
  for (const { name, count } of b.byMonth) months.add(name, count);
  return {
    activities: a.activities + b.activities,
    byField: a.byField.map(({ name, count }, at) => ({ name, count: count + (b.byField[at]?.count ?? 0) })),
    byMonth: months.counts().toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    sampleIds: [...a.sampleIds, ...b.sampleIds].slice(0, sampleSize),
  };
}

async function count(
  tx: Tx,
  fields: readonly RedactField[],
  where: Condition,
): Promise<{ activities: number; byField: CountOf[] }> {
  const [row] = await tx.query(sql<{ counts: number[] }>`
    select array[count(*), ${sql.join(fields.map((field) => sql`count(*) filter (where ${hasField(field)})`))}]::float8[]
      as counts
    from annals.activity where ${where}`);
  const [activities = 0, ...counts] = row?.counts ?? [];
  return { activities, byField: fields.map(({ name }, at) => ({ name, count: counts[at] ?? 0 })) };
}

async function countByMonth(tx: Tx, where: Condition): Promise<CountOf[]> {
  return tx.query(sql<CountOf>`
    select to_char(occurred_at at time zone 'UTC', 'YYYY-MM') as name, count(*)::float8 as count
    from annals.activity where ${where} group by 1 order by 1`);
}

async function sample(tx: Tx, where: Condition): Promise<string[]> {
  const rows = await tx.query(sql<{ id: string }>`
    select id from annals.activity where ${where} order by occurred_at, id limit ${sampleSize}`);
  return rows.map(({ id }) => id);
}

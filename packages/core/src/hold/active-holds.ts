import { Filter } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import type { ActivityRow } from '../activity/row.ts';
import { type Condition, whereActivity } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { anonymizeRow } from '../privacy/anonymize-row.ts';
import { moment } from '../privacy/examine.ts';
import { createPerson, type Person } from '../privacy/person.ts';
import { canConcern } from '../privacy/wanted.ts';
import { HoldEntity } from './entity.ts';
import { isFilter, isPerson } from './hold-request.ts';
import { lockHolds } from './lock-holds.ts';

/** The holds that are active in a transaction, and what they match. */
export interface ActiveHolds {
  /** The oldest first. */
  readonly all: readonly { readonly id: string; readonly name: string }[];
  /** Which records each hold over a filter matches; columns without their table. */
  readonly filters: readonly FilterHold[];
  /** Which records the holds over persons can match: all that they do, and some others. Absent without such. */
  readonly canName?: Condition | undefined;
  /** Which records any hold can match. */
  readonly canHold: Condition;
  /** Whether an erasure can make a record match: a filter that asks for what is not there is passed by what went. */
  readonly growByErasure: boolean;
  /** Of these records those that are held, by their ids, each with the ids of the holds that match it. */
  among(rows: readonly ActivityRow[]): Promise<ReadonlyMap<string, readonly string[]>>;
}

interface FilterHold {
  readonly hold: string;
  readonly where: Condition;
}

interface PersonHold {
  readonly hold: string;
  readonly person: Person;
}

/** The active holds, for what erases or purges: no other is created until the transaction ends. */
export async function holdsToHonour(tx: Tx): Promise<ActiveHolds> {
  await lockHolds(tx, 'shared');
  return activeHolds(tx);
}

/** The active holds, for what only looks. */
export async function activeHolds(tx: Tx): Promise<ActiveHolds> {
  const rows = await tx.em.find(
    HoldEntity,
    { releasedAt: null },
    { orderBy: { createdAt: 'asc', id: 'asc' } },
  );
  const filters: FilterHold[] = [];
  const persons: PersonHold[] = [];
  for (const { id, request } of rows) {
    if (isPerson(request)) persons.push({ hold: id, person: createPerson(request) });
    if (isFilter(request)) {
      const sight = { tenantId: tx.tenantId, personal: request.personal };
      filters.push({ hold: id, where: whereActivity(Filter.parse(request.filter), sight) });
    }
  }
  const anyPerson = createPerson({
    ids: persons.flatMap(({ person }) => person.ids),
    identifiers: persons.flatMap(({ person }) => person.matcher.identifiers),
  });
  const canName = persons.length > 0 ? canConcernAny(anyPerson) : undefined;
  const conditions = [...filters.map(({ where }) => where), ...(canName ? [canName] : [])];
  return {
    all: rows.map(({ id, name }) => ({ id, name })),
    filters,
    canName,
    canHold: conditions.length === 0 ? sql`false` : sql`(${sql.join(conditions, sql` or `)}) is true`,
    growByErasure: rows.some(
      ({ request }) => isFilter(request) && JSON.stringify(request.filter).includes('"none":'),
    ),
    among: async (records) => {
      const held = new Map<string, string[]>();
      const hold = (id: string, by: readonly string[]) => {
        if (by.length > 0) held.set(id, [...(held.get(id) ?? []), ...by]);
      };
      for (const { id, by } of await selectedBy(tx, filters, records)) hold(id, by);
      for (const row of records) hold(String(row['id']), namedBy(row, persons, anyPerson));
      return held;
    },
  };
}

/** The database builds one automaton for all of them; for too many it is quicker to look at every record. */
const searchedMax = 300;

function canConcernAny(person: Person): RawBuilder<boolean> {
  return person.matcher.identifiers.length > searchedMax ? sql`true` : sql`(${canConcern(person)})`;
}

/** The filters that select each record. */
async function selectedBy(
  tx: Tx,
  filters: readonly FilterHold[],
  rows: readonly ActivityRow[],
): Promise<{ id: string; by: string[] }[]> {
  if (filters.length === 0 || rows.length === 0) return [];
  const times = rows.map(({ occurred_ms }) => occurred_ms);
  const cases = filters.map(({ hold, where }) => sql`case when ${where} then ${hold}::text end`);
  return tx.query(sql<{ id: string; by: string[] }>`
    select id, array_remove(array[${sql.join(cases)}], null) as by from annals.activity
    where tenant_id = ${tx.tenantId}
      and occurred_at between ${moment(Math.min(...times))} and ${moment(Math.max(...times))}
      and id = any(${rows.map((row) => row['id'])}::uuid[])`);
}

/** The holds over persons of whom the record has a trace. What is a trace of none of them together is of none. */
function namedBy(row: ActivityRow, persons: readonly PersonHold[], anyPerson: Person): string[] {
  if (persons.length === 0 || !anonymizeRow(row, { person: anyPerson })) return [];
  return persons.filter(({ person }) => anonymizeRow(row, { person })).map(({ hold }) => hold);
}

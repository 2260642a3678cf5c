import type { Client } from 'pg';
import { type Column, firstOf, type RowKind, readColumns, rowsOf } from './catalogue.ts';
import { type Changes, changesOf, fillOf } from './changes.ts';
import type { IntegrityTable } from './undo.ts';

/** One thing that somebody does to a table. */
export interface TamperCase {
  readonly table: IntegrityTable;
  readonly row: string;
  /** Undefined for what is done to whole rows. */
  readonly column?: string;
  readonly change: string;
  readonly statement: string;
}

/** Every column of every kind of row, changed in each way that its type has, emptied, and swapped with another. */
export async function columnCases(admin: Client, tables: readonly IntegrityTable[]): Promise<TamperCase[]> {
  const cases: TamperCase[] = [];
  for (const column of await readColumns(admin, tables)) {
    for (const kind of rowsOf[column.table].kinds) cases.push(...(await casesOf(admin, column, kind)));
  }
  return cases;
}

async function casesOf(admin: Client, column: Column, kind: RowKind): Promise<TamperCase[]> {
  const { table, name } = column;
  const { filled, pair } = await lookAt(admin, column, kind);
  const values: Changes = {
    ...(filled ? changesOf(column) : { filled: fillOf(column) }),
    ...(filled && column.nullable && { emptied: 'null' }),
  };
  const statements: [string, string][] = [];
  for (const [change, value] of Object.entries(values)) {
    if (await differs(admin, { column, kind, value })) statements.push([change, setTo(column, kind, value)]);
  }
  if (pair) statements.push(['swapped with that of another row', swap(column, kind)]);
  return statements
    .slice(0, kind.brief ? 1 : undefined)
    .map(([change, statement]) => ({ table, row: kind.name, column: name, change, statement }));
}

/** Whether the row has a value, and whether there is another row with another one. */
async function lookAt(admin: Client, column: Column, kind: RowKind) {
  const { table, name } = column;
  const { rows } = await admin.query<{ filled: boolean; pair: boolean }>(
    `with one as (${oneOf(table, kind)}), other as (${otherThan(column)})
      select one.${name} is not null as filled, exists (select from other) as pair from one`,
  );
  const [found] = rows;
  if (!found) throw new Error(`the history has no row of ${table} that is ${kind.name}`);
  return found;
}

interface NewValue {
  readonly column: Column;
  readonly kind: RowKind;
  readonly value: string;
}

/** Of an empty list nothing can be cut off. */
async function differs(admin: Client, { column: { table, name }, kind, value }: NewValue): Promise<boolean> {
  const { rows } = await admin.query<{ differs: boolean }>(
    `select t.${name} is distinct from ${value} as differs from (${oneOf(table, kind)}) as t`,
  );
  return rows[0]?.differs === true;
}

/** The row of a kind, and where it is: partitions have their own places. */
function oneOf(table: IntegrityTable, { where }: RowKind): string {
  return firstOf(table, where, 't.tableoid as at, t.ctid as place, t.*');
}

/** A row that has another value in the column, as near to the one as there is. */
function otherThan({ table, name }: Column): string {
  const { order, near } = rowsOf[table];
  return `select t.tableoid as at, t.ctid as place, t.${name} as value from annals.${table} as t, one
    where t.${name} is distinct from one.${name} and (t.tableoid, t.ctid) <> (one.at, one.place)
    order by t.tenant_id = one.tenant_id desc, ${near} desc, ${order} limit 1`;
}

function setTo({ table, name }: Column, kind: RowKind, value: string): string {
  return `with one as (${oneOf(table, kind)})
    update annals.${table} as t set ${name} = ${value} from one where (t.tableoid, t.ctid) = (one.at, one.place)`;
}

function swap(column: Column, kind: RowKind): string {
  const { table, name } = column;
  return `with one as (${oneOf(table, kind)}), other as (${otherThan(column)})
    update annals.${table} as t
    set ${name} = case when (t.tableoid, t.ctid) = (one.at, one.place) then other.value else one.${name} end
    from one, other where (t.tableoid, t.ctid) in ((one.at, one.place), (other.at, other.place))`;
}

import type { Client } from 'pg';
import type { IntegrityTable } from './undo.ts';

export const tenantId = 'acme';
export const origin = `test.example/${tenantId}`;

/** A row of a table that stands for all of its kind. */
export interface RowKind {
  readonly name: string;
  /** What rows of the kind have; the first of them in the order of the table is meant. */
  readonly where: string;
  /** Only one change of each column is tried: what the others come to, those of another kind show. */
  readonly brief?: true;
}

/** How the rows of a table stand, and which kinds of them there are. */
export interface TableRows {
  readonly order: string;
  /** Whether `t` stands beside the row `one`. */
  readonly near: string;
  readonly kinds: readonly RowKind[];
}

const placed = `(select b.first_index is not null from annals.batch b where b.id = t.batch_id)`;
const manifests = (sealed: 'is null' | 'is not null') =>
  `(select id from annals.manifest where sealed_at ${sealed})`;
const full = 't.scope_id is not null and t.details is not null';

export const rowsOf: Readonly<Record<IntegrityTable, TableRows>> = {
  activity: {
    order: 't.occurred_at, t.id',
    near: '(t.batch_id = one.batch_id)',
    kinds: [
      { name: 'a whole record', where: `t.seed is not null and not t.own and ${full} and ${placed}` },
      {
        name: 'an erased record',
        where: `t.openings is not null and t.actor_id is not null and t.metadata <> '{}'`,
      },
      {
        name: 'a record of Annals itself',
        where: `t.own and t.action = 'annals.manifest_sealed'`,
        brief: true,
      },
      { name: 'a record before it is sequenced', where: `not ${placed}`, brief: true },
    ],
  },
  batch: {
    order: 't.first_index, t.id',
    near: '(t.size <> one.size)',
    kinds: [
      { name: 'a sequenced batch', where: 't.first_index > 0' },
      { name: 'a batch before it is sequenced', where: 't.first_index is null' },
    ],
  },
  log: {
    order: 't.epoch',
    near: '(t.epoch = one.epoch)',
    kinds: [{ name: 'the log', where: 'true' }],
  },
  tile: {
    order: 't.level, t.index',
    near: '(t.epoch = one.epoch)',
    kinds: [{ name: 'a tile', where: 'true' }],
  },
  checkpoint: {
    order: 't.epoch, t.size',
    near: '(t.epoch = one.epoch)',
    kinds: [
      { name: 'an older checkpoint', where: 'true' },
      { name: 'the newest checkpoint', where: 't.size = (select max(size) from annals.checkpoint)' },
    ],
  },
  manifest: {
    order: 't.opened_at, t.id',
    near: '(t.kind = one.kind)',
    kinds: [
      { name: 'a sealed erasure manifest', where: `t.kind = 'erasure' and t.sealed_at is not null` },
      { name: 'a sealed purge manifest', where: `t.kind = 'purge' and t.sealed_at is not null` },
      { name: 'an open manifest', where: 't.sealed_at is null' },
    ],
  },
  erasure_item: {
    order: 't.manifest_id, t.batch_id, t.position',
    near: '(t.manifest_id = one.manifest_id and t.batch_id = one.batch_id)',
    kinds: [
      { name: 'an item of a sealed manifest', where: `t.manifest_id in ${manifests('is not null')}` },
      { name: 'an item of an open manifest', where: `t.manifest_id in ${manifests('is null')}` },
    ],
  },
  purge_item: {
    order: 't.manifest_id, t.batch_id',
    near: '(t.manifest_id = one.manifest_id)',
    kinds: [{ name: 'an item', where: 'true' }],
  },
};

export interface Column {
  readonly table: IntegrityTable;
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

/** All columns of tables, as the database has them, so that a new one cannot be left out. */
export async function readColumns(admin: Client, tables: readonly IntegrityTable[]): Promise<Column[]> {
  const { rows } = await admin.query<Column>(
    `select table_name as "table", column_name as name, udt_name as type, is_nullable = 'YES' as nullable
      from information_schema.columns where table_schema = 'annals' and table_name = any($1)
      order by array_position($1, table_name::text), ordinal_position`,
    [tables],
  );
  return rows;
}

/** The first row of the tenant in the order of its table, of those that a condition on `t` lets pass. */
export function firstOf(table: IntegrityTable, where = 'true', columns = 't.*'): string {
  return `select ${columns} from annals.${table} as t
    where t.tenant_id = '${tenantId}' and ${where} order by ${rowsOf[table].order} limit 1`;
}

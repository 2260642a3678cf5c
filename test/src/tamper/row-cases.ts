import { firstOf, rowsOf } from './catalogue.ts';
import type { TamperCase } from './column-cases.ts';
import { type IntegrityTable, integrityTables } from './undo.ts';

/** Every kind of row deleted and doubled. */
function eachKind(): TamperCase[] {
  return integrityTables.flatMap((table) =>
    rowsOf[table].kinds.flatMap(({ name: row, where }) => [
      {
        table,
        row,
        change: 'deleted',
        statement: `delete from annals.${table} where (tableoid, ctid) in
          (${firstOf(table, where, 't.tableoid, t.ctid')})`,
      },
      {
        table,
        row,
        change: 'stored twice',
        statement: `insert into annals.${table} ${firstOf(table, where)}`,
      },
    ]),
  );
}

/** Which rows are the last of a table, for it to be cut off there. */
const tails: Readonly<Record<IntegrityTable, string>> = {
  activity: `batch_id in (select id from annals.batch order by first_index desc nulls last limit 3)`,
  batch: `first_index >= (select max(first_index) from annals.batch) - 20`,
  log: 'true',
  tile: `(level, index) = (select level, index from annals.tile order by 1 desc, 2 desc limit 1)`,
  checkpoint: `size > (select min(size) from annals.checkpoint)`,
  manifest: `opened_at = (select max(opened_at) from annals.manifest)`,
  erasure_item: `manifest_id = (select max(manifest_id::text)::uuid from annals.erasure_item)`,
  purge_item: `manifest_id = (select max(manifest_id::text)::uuid from annals.purge_item)`,
};

function tailCases(): TamperCase[] {
  return integrityTables.map((table) => ({
    table,
    row: 'the last rows',
    change: 'cut off',
    statement: `delete from annals.${table} where ${tails[table]}`,
  }));
}

interface Forgery {
  readonly table: IntegrityTable;
  readonly row: string;
  readonly change?: string;
  /** Of which row it is a copy, unless the first will do. */
  readonly like?: string;
  /** What differs: JSON of columns. */
  readonly but: string;
}

const whole = rowsOf.activity.kinds[0]?.where ?? '';
const newId = `'id', overlay(t.id::text placing 'ffff' from 33)`;
const purged = `select i.batch_id, lower(i.positions) from annals.purge_item i limit 1`;

const forgeries: readonly Forgery[] = [
  { table: 'activity', row: 'a forged record at the index of another', like: whole, but: newId },
  {
    table: 'activity',
    row: 'a forged record where one was purged',
    like: whole,
    but: `${newId}, 'batch_id', (select batch_id from (${purged}) p), 'position', (select lower from (${purged}) p)`,
  },
  {
    table: 'activity',
    row: 'a forged record behind the end of its batch',
    like: whole,
    but: `${newId}, 'position', (select size from annals.batch b where b.id = t.batch_id)`,
  },
  {
    table: 'activity',
    row: 'a forged record of a batch that the log does not have',
    like: whole,
    but: `${newId}, 'batch_id', md5('x')::uuid`,
  },
  {
    table: 'activity',
    row: 'a forged record in a batch before it is sequenced',
    like: 'not (select b.first_index is not null from annals.batch b where b.id = t.batch_id)',
    but: `${newId}, 'position', 10`,
  },
  { table: 'batch', row: 'a forged batch at the index of another', but: `'id', md5('x')::uuid` },
  {
    table: 'batch',
    row: 'a forged batch behind the end of the log',
    but: `'id', md5('x')::uuid, 'first_index', (select max(size) from annals.log)`,
  },
  {
    table: 'batch',
    row: 'a forged batch before it is sequenced, with leaves that are not its own',
    but: `'id', md5('x')::uuid, 'epoch', null, 'first_index', null, 'leaves', sha256('x')`,
  },
  { table: 'log', row: 'a forged log of the next epoch', but: `'epoch', 2` },
  {
    table: 'log',
    row: 'a forged empty log of the next epoch',
    but: `'epoch', 2, 'size', 0, 'edge', '{}'::bytea[], 'root', sha256('')`,
  },
  { table: 'tile', row: 'a forged tile that the log does not have yet', but: `'index', 1000` },
  { table: 'tile', row: 'a forged tile of the next epoch', but: `'epoch', 2` },
  { table: 'checkpoint', row: 'a forged checkpoint between others', but: `'size', t.size + 1` },
  {
    table: 'checkpoint',
    row: 'a forged checkpoint behind the end of the log',
    but: `'size', 9007199254740991`,
  },
  { table: 'checkpoint', row: 'a forged checkpoint of the next epoch', but: `'epoch', 2` },
  {
    table: 'manifest',
    row: 'a forged sealed manifest',
    like: 't.sealed_at is not null',
    but: `'id', md5('x')::uuid`,
  },
  {
    table: 'manifest',
    row: 'a forged open manifest',
    like: 't.sealed_at is null',
    but: `'id', md5('x')::uuid, 'kind', 'purge'`,
  },
  ...[
    ['in a sealed manifest', 'is not null'],
    ['in an open manifest', 'is null'],
  ].map(([where, sealed]) => ({
    table: 'erasure_item' as const,
    row: `a forged item of a record that was not erased, ${where}`,
    like: `t.manifest_id in (select id from annals.manifest where sealed_at ${sealed})`,
    but: `'batch_id', (select batch_id from (${firstOf('activity', whole)}) w),
      'position', (select position from (${firstOf('activity', whole)}) w)`,
  })),
  {
    table: 'purge_item',
    row: 'a forged item of a record that was not purged',
    but: `'batch_id', (select batch_id from (${firstOf('activity', whole)}) w), 'positions',
      (select int4multirange(int4range(position, position + 1)) from (${firstOf('activity', whole)}) w)`,
  },
];

/** Records that are in no bundle, since the log has no place for them. */
const besideTheLog: TamperCase = {
  table: 'batch',
  row: 'a forged batch with its record behind the end of the log',
  change: 'inserted',
  statement: `with forged as (
      insert into annals.batch select (jsonb_populate_record(null::annals.batch, to_jsonb(t) ||
        jsonb_build_object('id', md5('x')::uuid, 'first_index', (select max(size) from annals.log)))).*
      from (${firstOf('batch')}) as t returning id)
    insert into annals.activity select (jsonb_populate_record(null::annals.activity, to_jsonb(t) ||
      jsonb_build_object(${newId}, 'batch_id', (select id from forged), 'position', 0))).*
    from (${firstOf('activity', whole)}) as t`,
};

function forgeryCases(): TamperCase[] {
  return forgeries.map(({ table, row, change = 'inserted', like, but }) => ({
    table,
    row,
    change,
    statement: `insert into annals.${table}
      select (jsonb_populate_record(null::annals.${table}, to_jsonb(t) || jsonb_build_object(${but}))).*
      from (${firstOf(table, like)}) as t`,
  }));
}

/** What is ordered by more than one column. */
const reordered: readonly TamperCase[] = [
  {
    table: 'activity',
    row: 'two records',
    change: 'reordered',
    statement: `with one as (${firstOf('activity', whole)}),
      other as (select t.* from annals.activity t, one where t.batch_id <> one.batch_id and ${whole} limit 1)
      update annals.activity t
      set batch_id = case when t.id = one.id then other.batch_id else one.batch_id end,
        position = case when t.id = one.id then other.position else one.position end
      from one, other where t.id in (one.id, other.id)`,
  },
  {
    table: 'batch',
    row: 'two batches',
    change: 'reordered',
    statement: `with one as (${firstOf('batch', 't.first_index > 0')}),
      other as (select t.* from annals.batch t, one
        where t.size = one.size and t.id <> one.id and t.first_index > 0 limit 1)
      update annals.batch t set first_index = case when t.id = one.id then other.first_index else one.first_index end
      from one, other where t.id in (one.id, other.id)`,
  },
];

/** What is done to whole rows. */
export function rowCases(tables: readonly IntegrityTable[]): TamperCase[] {
  const cases = [...eachKind(), ...tailCases(), ...forgeryCases(), besideTheLog, ...reordered];
  return cases.filter(({ table }) => tables.includes(table));
}

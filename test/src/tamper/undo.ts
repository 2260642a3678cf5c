import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';

/** Tables whose rows a tenant's integrity rests on. */
export const integrityTables = [
  'activity',
  'batch',
  'log',
  'tile',
  'checkpoint',
  'manifest',
  'erasure_item',
  'purge_item',
] as const;
export type IntegrityTable = (typeof integrityTables)[number];

/** What brings back what was kept. */
export interface Kept {
  readonly restoreDatabase: () => Promise<void>;
  readonly restoreSigner: () => Promise<void>;
}

/** Keep a copy of all rows and of the signer's memory. */
export async function keepState(admin: Client, dir: string): Promise<Kept> {
  await admin.query('create schema kept');
  for (const table of integrityTables) {
    await admin.query(`create table kept.${table} as select * from annals.${table}`);
  }
  const state = join(dir, 'state');
  const keptState = join(dir, 'state.kept');
  await cp(state, keptState, { recursive: true });
  let since = await lastTransaction(admin);
  return {
    restoreDatabase: async () => {
      await admin.query(integrityTables.map((table) => restore(table, since)).join(';'));
      since = await lastTransaction(admin);
    },
    restoreSigner: async () => {
      await rm(state, { recursive: true, force: true });
      await cp(keptState, state, { recursive: true });
    },
  };
}

/** Take away the keys that would prevent some changes of rows, as a superuser can. */
export async function dropKeys(admin: Client): Promise<void> {
  for (const table of integrityTables) {
    await admin.query(`alter table annals.${table} drop constraint ${table}_pkey`);
  }
  const { rows } = await admin.query<{ name: string }>(
    `select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indrelid
      where i.indisunique and c.relname = any($1) and c.relnamespace = 'annals'::regnamespace`,
    [integrityTables],
  );
  for (const { name } of rows) await admin.query(`drop index ${name}`);
}

/** What was written since goes, and what has gone comes back. Tables are compared only where rows are missing. */
function restore(table: IntegrityTable, since: string): string {
  return `delete from annals.${table} where xmin::text::bigint > ${since};
    insert into annals.${table}
      select missing.* from (select * from kept.${table} except all select * from annals.${table}) as missing
      where (select count(*) from annals.${table}) <> (select count(*) from kept.${table})`;
}

/** Rows that are written from now on are of later transactions; the cluster is too young to count from the start. */
async function lastTransaction(admin: Client): Promise<string> {
  const { rows } = await admin.query<{ id: string }>('select pg_current_xact_id()::text as id');
  return rows[0]?.id ?? '';
}

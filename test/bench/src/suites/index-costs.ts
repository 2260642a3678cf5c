import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { median, type Row, rowOf } from '../row.ts';

/** Indexes that there could be, for search; none of them is in the product. */
const candidates: Readonly<Record<string, string>> = {
  'GIN trigrams of message': 'using gin (message gin_trgm_ops)',
  'GIN tenant and trigrams of message': 'using gin (tenant_id, message gin_trgm_ops)',
  'GIN words of message': `using gin (to_tsvector('simple', coalesce(message, '')))`,
  'GIN metadata jsonb_path_ops': 'using gin (metadata jsonb_path_ops)',
  'GIN tags': 'using gin (tags)',
  'btree request_id': '(tenant_id, request_id, occurred_at, id)',
};

const table = 'bench.indexed';
const chunkSize = 10_000;

export interface CostOptions {
  /** Records that the table has before. */
  readonly records: number;
  readonly rounds: number;
}

/**
 * What each index costs whoever writes, and what it takes on disk.
 *
 * Method   chunks of new records are copied into a table that has all indexes of the product, all but one, or one more, in
 *          turns; in transactions that are rolled back, and with them the dropping of indexes.
 * Caution  by processor time of the database's process, where this is on the same machine; else by the clock.
 */
export async function measureIndexCosts(client: Client, { records, rounds }: CostOptions): Promise<Row[]> {
  const dir = await mkdtemp(join(tmpdir(), 'annals-bench-indexes-'));
  await chmod(dir, 0o777);
  try {
    const own = await createTable(client, records);
    const variants: Variant[] = [
      { name: 'all of the product', dropped: Object.keys(candidates) },
      { name: 'the key alone', dropped: [...own, ...Object.keys(candidates)] },
      ...own.map((name) => ({ name, dropped: [name, ...Object.keys(candidates)] })),
      ...Object.keys(candidates).map((name) => ({
        name,
        dropped: Object.keys(candidates).filter((other) => other !== name),
      })),
    ];
    const taken = new Map(variants.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const [at, variant] of variants.entries()) {
        const file = join(dir, 'chunk');
        await writeChunk(client, { file, number: round * variants.length + at });
        const microseconds = await timeCopy(client, { file, dropped: variant.dropped });
        // The first warms caches.
        if (round > 0) taken.get(variant.name)?.push(microseconds);
      }
      await client.query(`vacuum ${table}`);
    }
    return await costRows(client, { taken, own, records });
  } finally {
    await client.query(`drop table if exists ${table}`);
    await rm(dir, { recursive: true, force: true });
  }
}

interface Variant {
  readonly name: string;
  readonly dropped: readonly string[];
}

/** Returns the names of the product's indexes besides the key's. */
async function createTable(client: Client, records: number): Promise<string[]> {
  await client.query('create extension if not exists pg_trgm');
  await client.query('create extension if not exists btree_gin');
  await client.query(`drop table if exists ${table}`);
  await client.query(
    `create table ${table} (like annals.activity, primary key (tenant_id, occurred_at, id))`,
  );
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select c.relname as name, pg_get_indexdef(c.oid) as definition
      from pg_index i join pg_class c on c.oid = i.indexrelid
      where i.indrelid = 'annals.activity'::regclass and not i.indisprimary order by c.relname`,
  );
  for (const { name, definition } of rows) {
    const [, what] = / (using .*)$/i.exec(definition) ?? [];
    await client.query(`create index "${name}" on ${table} ${what}`);
  }
  // With the indexes there, so that these are as large as they become by being written to.
  await client.query(
    `insert into ${table} select * from annals.activity order by occurred_at limit ${records}`,
  );
  for (const [name, what] of Object.entries(candidates)) {
    await client.query(`create index "${name}" on ${table} ${what}`);
  }
  await client.query(`vacuum analyze ${table}`);
  return rows.map(({ name }) => name);
}

/** Records like those of the table, but later. */
async function writeChunk(client: Client, { file, number }: { file: string; number: number }): Promise<void> {
  const { rows } = await client.query<{ column: string }>(
    `select attname as column from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum`,
    [table],
  );
  const columns = rows.map(({ column }) => {
    if (column === 'occurred_at') return `occurred_at + ${number + 1} * interval '200 days'`;
    return column === 'id' ? 'gen_random_uuid()' : column;
  });
  await client.query(
    `copy (select ${columns.join()} from (
        select * from ${table} order by tenant_id, occurred_at offset ${number * 977} limit ${chunkSize}) as chunk
      order by occurred_at) to '${file}' (format binary)`,
  );
}

interface Copy {
  readonly file: string;
  readonly dropped: readonly string[];
}

/** Microseconds a record. */
async function timeCopy(client: Client, { file, dropped }: Copy): Promise<number> {
  const pid = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
  await client.query('checkpoint');
  await client.query('begin');
  try {
    for (const name of dropped) await client.query(`drop index bench."${name}"`);
    const before = await processorNs(pid);
    await client.query(`copy ${table} from '${file}' (format binary)`);
    // What a GIN index puts off is to be paid for, too.
    for (const name of Object.keys(candidates)) {
      if (name.startsWith('GIN') && !dropped.includes(name)) {
        await client.query(`select gin_clean_pending_list('bench."${name}"'::regclass)`);
      }
    }
    return ((await processorNs(pid)) - before) / 1_000 / chunkSize;
  } finally {
    await client.query('rollback');
  }
}

async function processorNs(pid: number | undefined): Promise<number> {
  try {
    return Number((await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ')[0]);
  } catch {
    return performance.now() * 1e6;
  }
}

interface Taken {
  readonly taken: ReadonlyMap<string, readonly number[]>;
  readonly own: readonly string[];
  readonly records: number;
}

async function costRows(client: Client, { taken, own, records }: Taken): Promise<Row[]> {
  const all = taken.get('all of the product') ?? [];
  const rows: Row[] = [];
  for (const [name, times] of taken) {
    const isWhole = !own.includes(name) && !(name in candidates);
    const rounds = times.map((ours, at) => {
      const whole = all[at] ?? median(all);
      return { ours: isWhole ? ours : own.includes(name) ? whole - ours : ours - whole };
    });
    rows.push(
      rowOf({ name: `${isWhole ? 'copying with' : 'writing to'} ${name}`, unit: 'us a record' }, rounds),
    );
    if (!isWhole) rows.push(await sizeRow(client, { name, records }));
  }
  return rows;
}

async function sizeRow(client: Client, { name, records }: { name: string; records: number }): Promise<Row> {
  const { rows } = await client.query<{ bytes: number }>(
    `select pg_relation_size('bench."${name}"'::regclass)::float8 as bytes`,
  );
  return rowOf({ name: `size of ${name}`, unit: 'bytes a record' }, [
    { ours: (rows[0]?.bytes ?? 0) / records },
  ]);
}

import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { type Row, rowOf } from '../row.ts';

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
    const { own, rows } = await createTable(client, records);
    const further = Object.keys(candidates);
    const variants: Variant[] = [
      { name: alone, dropped: [...own, ...further] },
      // Each beside all of the product.
      ...own.flatMap((name) => [all(further), { name, dropped: [name, ...further] }]),
      ...further.flatMap((name) => [
        all(further),
        { name, dropped: further.filter((other) => other !== name) },
      ]),
    ];
    const taken: Taken[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const times: number[] = [];
      for (const [at, { dropped }] of variants.entries()) {
        const file = join(dir, 'chunk');
        await writeChunk(client, { file, number: round * variants.length + at });
        times.push(await timeCopy(client, { file, dropped }));
      }
      // The first warms caches.
      if (round > 0) taken.push(...variants.map(({ name }, at) => takenOf(name, times, at)));
      await client.query(`vacuum ${table}`);
    }
    return [...costRows(taken, own), ...rows];
  } finally {
    await client.query(`drop table if exists ${table}`);
    await rm(dir, { recursive: true, force: true });
  }
}

const whole = 'all of the product';
const alone = 'the key alone';

interface Variant {
  readonly name: string;
  readonly dropped: readonly string[];
}

const all = (dropped: readonly string[]): Variant => ({ name: whole, dropped });

interface Taken {
  readonly name: string;
  /** Microseconds a record. */
  readonly time: number;
  /** Of the variant before it: all of the product. */
  readonly before: number;
}

function takenOf(name: string, times: readonly number[], at: number): Taken {
  return { name, time: times[at] ?? Number.NaN, before: times[at - 1] ?? Number.NaN };
}

interface Created {
  /** The names of the product's indexes besides the key's. */
  readonly own: readonly string[];
  /** How large indexes are, and what it takes to make one of those that there could be. */
  readonly rows: readonly Row[];
}

async function createTable(client: Client, records: number): Promise<Created> {
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
  const own = rows.map(({ name }) => name);
  const sizes: Row[] = [];
  for (const name of own) sizes.push(await sizeRow(client, { name, records }));
  const pid = await pidOf(client);
  await client.query('set max_parallel_maintenance_workers = 0');
  for (const [name, what] of Object.entries(candidates)) {
    const before = await processorNs(pid);
    await client.query(`create index "${name}" on ${table} ${what}`);
    const ours = ((await processorNs(pid)) - before) / 1_000 / records;
    sizes.push(
      await sizeRow(client, { name, records }),
      rowOf({ name: `making ${name} of what is there`, unit: 'us a record' }, [{ ours }]),
    );
  }
  await client.query(`vacuum analyze ${table}`);
  return { own, rows: sizes };
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
        select * from ${table} where ctid >= '(${number * 50},0)' limit ${chunkSize}) as chunk
      order by occurred_at) to '${file}' (format binary)`,
  );
}

interface Copy {
  readonly file: string;
  readonly dropped: readonly string[];
}

/** Microseconds a record. */
async function timeCopy(client: Client, { file, dropped }: Copy): Promise<number> {
  const pid = await pidOf(client);
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

function costRows(taken: readonly Taken[], own: readonly string[]): Row[] {
  return [...Map.groupBy(taken, ({ name }) => name)].map(([name, rounds]) => {
    if (name === whole || name === alone) {
      return rowOf(
        { name: `copying with ${name}`, unit: 'us a record' },
        rounds.map(({ time }) => ({ ours: time })),
      );
    }
    const sign = own.includes(name) ? 1 : -1;
    return rowOf(
      { name: `writing to ${name}`, unit: 'us a record' },
      rounds.map(({ time, before }) => ({ ours: sign * (before - time) })),
    );
  });
}

async function pidOf(client: Client): Promise<number | undefined> {
  return (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
}

async function sizeRow(client: Client, { name, records }: { name: string; records: number }): Promise<Row> {
  const { rows } = await client.query<{ bytes: number }>(
    `select pg_relation_size('bench."${name}"'::regclass)::float8 as bytes`,
  );
  return rowOf({ name: `size of ${name}`, unit: 'bytes a record' }, [
    { ours: (rows[0]?.bytes ?? 0) / records },
  ]);
}

import { followLog, rollupFollower } from '@annals/core';
import { Client } from 'pg';
import type { Bench } from '../open-bench.ts';
import { loadedTenant, loadRecords } from './load-records.ts';

const dayMs = 86_400_000;
const spanDays = 90;

/** Records that suites read in common, in a database of their own or in one that is given. */
export interface Loaded {
  readonly url: string;
  readonly bench: Bench;
}

/** What was done to have them; nothing where another suite was first. */
export interface Counted {
  readonly activities: number;
  readonly ms: number;
}

/** Have so many records there, at least: those of the 90 days before today, counted as the server counts them. */
export async function growLoaded({ url, bench }: Loaded, records: number): Promise<Counted> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const first = await loadedSize(client);
    if (first >= records) return { activities: 0, ms: 0 };
    const endMs = Math.floor(Date.now() / dayMs) * dayMs;
    const startMs = endMs - spanDays * dayMs;
    const more = records - first;
    await loadRecords({ url, first, records: more, startMs, stepMs: (endMs - startMs) / more });
    await putInLog(client, records);
    return await count(bench, client);
  } finally {
    await client.end();
  }
}

/** How many records were loaded, those of all tenants. */
export async function loadedSize(client: Client): Promise<number> {
  await client.query('create schema if not exists bench');
  await client.query('create table if not exists bench.loaded (records bigint not null)');
  const { rows } = await client.query<{ records: string }>(
    'select coalesce(max(records), 0) as records from bench.loaded where exists (select from annals.activity where tenant_id = $1)',
    [loadedTenant],
  );
  return Number(rows[0]?.records ?? 0);
}

/** Batches and a log, as appends and a sequencer would have made them. */
async function putInLog(client: Client, records: number): Promise<void> {
  await client.query(
    `insert into annals.batch
      (tenant_id, id, size, recorded_at, first_occurred_at, last_occurred_at, root, epoch, first_index)
    select tenant_id, batch_id, count(*), now(), min(occurred_at), max(occurred_at), '\\x', 1,
      sum(count(*)) over (order by batch_id) - count(*)
    from annals.activity where tenant_id = $1 group by tenant_id, batch_id on conflict do nothing`,
    [loadedTenant],
  );
  await client.query(
    `insert into annals.log (tenant_id, epoch, size, root, edge, sequenced_at)
    select tenant_id, 1, sum(size), '\\x', '{}', now() from annals.batch where tenant_id = $1 group by tenant_id
    on conflict (tenant_id, epoch) do update set size = excluded.size`,
    [loadedTenant],
  );
  await client.query('vacuum (analyze) annals.batch');
  await client.query('insert into bench.loaded values ($1)', [records]);
}

async function count(bench: Bench, client: Client): Promise<Counted> {
  const startMs = performance.now();
  let activities = 0;
  for (let taken = 1; taken > 0; activities += taken) {
    taken = await followLog(bench.services, { tenantId: loadedTenant, follower: rollupFollower });
  }
  const ms = performance.now() - startMs;
  // As autovacuum does in time: earlier versions of rows are gone, and the planner knows the sizes.
  await client.query('vacuum (full, analyze) annals.rollup');
  await client.query('vacuum (analyze) annals.rollup_cell');
  return { activities, ms };
}

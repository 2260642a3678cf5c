import type { StatsInput } from '@annals/contract';
import { facetActivities, followLog, rollupFollower, statsActivities } from '@annals/core';
import { Client } from 'pg';
import { loadedTenant, loadRecords } from '../data/load-records.ts';
import { type Bench, openBench } from '../open-bench.ts';
import { median, type Round, type Row, rowOf, type Target } from '../row.ts';
import type { Suite } from '../suite.ts';

const dayMs = 86_400_000;
/** What is loaded where nothing is: so many days. */
const spanDays = 90;

/** Counts from the rollups beside a GROUP BY on the activities; what counting costs, and what the counts take. */
export const stats: Suite = async ({ database, records, rounds, seconds }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await ensureLoaded(client, { url, records });
    const counted = await countLoaded(bench, client);
    const rows: Row[] = [...counted.rows];
    for (const each of cases(bench, client)) {
      rows.push(rowOf(each, await latencies(each, { rounds, seconds })));
    }
    return rows;
  } finally {
    await client.end();
    await bench.close();
  }
};

async function ensureLoaded(
  client: Client,
  { url, records }: { url: string; records: number },
): Promise<void> {
  const found = await client.query('select from annals.activity where tenant_id = $1 limit 1', [
    loadedTenant,
  ]);
  if (found.rowCount) return;
  const startMs = Math.floor(Date.now() / dayMs - spanDays) * dayMs;
  await loadRecords({ url, records, startMs, stepMs: (spanDays * dayMs) / records });
}

/** Give what was loaded its batches and a log, as appends and a sequencer would have, and count it. */
async function countLoaded(bench: Bench, client: Client): Promise<{ rows: Row[] }> {
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
    on conflict do nothing`,
    [loadedTenant],
  );
  await client.query('vacuum (analyze) annals.batch');
  const startMs = performance.now();
  let total = 0;
  for (let taken = 1; taken > 0; total += taken) {
    taken = await followLog(bench.services, { tenantId: loadedTenant, follower: rollupFollower });
  }
  const rate = (total * 1_000) / (performance.now() - startMs);
  // As autovacuum does in time: earlier versions of rows are gone, and the planner knows the sizes.
  await client.query('vacuum (full, analyze) annals.rollup');
  await client.query('vacuum (analyze) annals.rollup_cell');
  if (total === 0) return { rows: [] };
  const { rows } = await client.query<{ bytes: number }>(
    `select (pg_total_relation_size('annals.rollup') + pg_total_relation_size('annals.rollup_cell'))::float8 as bytes`,
  );
  return {
    rows: [
      rowOf({ name: 'counting, one process', unit: 'records/s' }, [{ ours: rate }]),
      rowOf({ name: 'storage of the counts, a record', unit: 'bytes' }, [
        { ours: (rows[0]?.bytes ?? 0) / total },
      ]),
    ],
  };
}

interface Case {
  readonly name: string;
  readonly unit: 'ms';
  readonly referenceName: 'GROUP BY';
  readonly target?: Target;
  readonly ours: () => Promise<unknown>;
  readonly reference: () => Promise<unknown>;
}

function cases(bench: Bench, client: Client): Case[] {
  const ctx = bench.context(loadedTenant);
  const count = (input: Partial<StatsInput>) => () =>
    statsActivities({ ctx, input: { groupBy: [], timeZone: 'UTC', limit: 10_000, ...input } });
  const plainly =
    (columns: readonly string[], where = 'true', timeZone = 'UTC') =>
    async () => {
      await client.query(`set timezone = '${timeZone}'`);
      const keys = columns.map((_, at) => at + 1).join();
      return client.query(
        `select ${columns.join()}, count(*) from annals.activity where tenant_id = '${loadedTenant}' and ${where}
          group by ${keys} order by ${keys} limit 10000`,
      );
    };
  const aCase = (name: string, rest: Pick<Case, 'ours' | 'reference' | 'target'>): Case => ({
    name: `stats, ${name}`,
    unit: 'ms',
    referenceName: 'GROUP BY',
    ...rest,
  });
  const byDay = `date_trunc('day', occurred_at)`;
  const target: Target = { of: 'ours', atMost: 20 };
  const berlin = 'Europe/Berlin';
  return [
    aCase('by action by day', {
      ours: count({ groupBy: ['action'], interval: 'day' }),
      reference: plainly([byDay, 'action']),
      target,
    }),
    aCase(`by action by day, ${berlin}`, {
      ours: count({ groupBy: ['action'], interval: 'day', timeZone: berlin }),
      reference: plainly([byDay, 'action'], 'true', berlin),
    }),
    aCase('by hour', {
      ours: count({ interval: 'hour' }),
      reference: plainly([`date_trunc('hour', occurred_at)`]),
    }),
    aCase('by day of one actor', {
      ours: count({ interval: 'day', filter: { actor: { any: ['usr_7'] } } }),
      reference: plainly([byDay], `actor_id = 'usr_7'`),
    }),
    aCase('top actors', {
      ours: () => facetActivities({ ctx, input: { fields: ['actor'], limit: 10 } }),
      reference: plainly(['actor_id']),
    }),
    aCase('by outcome of one action, which days with many combinations do not tell', {
      ours: count({ groupBy: ['outcome'], filter: { action: { any: ['invoice.created'] } } }),
      reference: plainly(['outcome'], `action = 'invoice.created'`),
    }),
    aCase('by target, which no rollup tells: of the newest', {
      ours: count({ groupBy: ['target'], limit: 10 }),
      reference: plainly(['target_id']),
    }),
  ];
}

/** Medians of calls in turns; one of a reference that takes long. */
async function latencies(
  { ours, reference }: Pick<Case, 'ours' | 'reference'>,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Round[]> {
  const taken: Round[] = [];
  await timesOf(ours, Math.min(seconds, 1));
  for (let round = 0; round < rounds; round += 1) {
    taken.push({
      ours: median(await timesOf(ours, seconds)),
      reference: median(await timesOf(reference, 0)),
    });
  }
  return taken;
}

async function timesOf(call: () => Promise<unknown>, seconds: number): Promise<number[]> {
  const endMs = performance.now() + seconds * 1_000;
  const times: number[] = [];
  do {
    const startMs = performance.now();
    await call();
    times.push(performance.now() - startMs);
  } while (performance.now() < endMs);
  return times;
}

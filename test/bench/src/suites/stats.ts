import type { StatsInput } from '@annals/contract';
import { facetActivities, statsActivities } from '@annals/core';
import { Client } from 'pg';
import { loadedTenant } from '../data/load-records.ts';
import { type Counted, growLoaded } from '../data/loaded.ts';
import { type Bench, openBench } from '../open-bench.ts';
import { type Row, rowOf, type Target } from '../row.ts';
import type { Suite } from '../suite.ts';
import { latencyRow, timeCalls } from '../time-calls.ts';

/** Counts from the rollups beside a GROUP BY on the activities; what counting costs, and what the counts take. */
export const stats: Suite = async ({ database, records, ...turns }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const counted = await growLoaded({ url, bench }, records);
    const rows: Row[] = [...(counted.activities > 0 ? [countingRow(counted)] : []), await storageRow(client)];
    for (const { ours, reference, ...spec } of cases(bench, client)) {
      rows.push(latencyRow(spec, await timeCalls({ ours, reference }, turns), 0.5));
    }
    return rows;
  } finally {
    await client.end();
    await bench.close();
  }
};

function countingRow({ activities, ms }: Counted): Row {
  return rowOf({ name: 'counting, one process', unit: 'records/s' }, [{ ours: (activities * 1_000) / ms }]);
}

async function storageRow(client: Client): Promise<Row> {
  const { rows } = await client.query<{ bytes: number }>(
    `select (pg_total_relation_size('annals.rollup') + pg_total_relation_size('annals.rollup_cell'))::float8
      / (select size from annals.log where tenant_id = $1) as bytes`,
    [loadedTenant],
  );
  return rowOf({ name: 'storage of the counts, a record', unit: 'bytes' }, [{ ours: rows[0]?.bytes ?? 0 }]);
}

interface Case {
  readonly name: string;
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

import { Filter, type FilterInput } from '@annals/contract';
import { listActivities } from '@annals/core';
import { Client } from 'pg';
import { loadedTenant } from '../data/load-records.ts';
import { growLoaded } from '../data/loaded.ts';
import { type Bench, openBench } from '../open-bench.ts';
import type { Row } from '../row.ts';
import type { Suite } from '../suite.ts';
import type { Turns } from '../take-turns.ts';
import { type Latencies, latencyRow, timeCalls } from '../time-calls.ts';
import { measureIndexCosts } from './index-costs.ts';

/** More would tell nothing else, and takes long. */
const recordsMax = 500_000;

/** What each index of the activities costs, and what pages and other reads would take without it. */
export const indexes: Suite = async ({ database, records, ...turns }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  const count = Math.min(records, recordsMax);
  try {
    await growLoaded({ url, bench }, count);
    const costs = await measureIndexCosts(client, { records: count * 0.6, rounds: turns.rounds });
    return [...costs, ...(await gains({ bench, client, turns }))];
  } finally {
    await client.end();
    await bench.close();
  }
};

/** By index, filters that it is for: of values that are frequent, seldom and absent. */
const served: Readonly<Record<string, readonly FilterInput[]>> = {
  activity_actor_idx: [{ actor: 'usr_0' }, { actor: 'usr_300' }, { actor: 'nobody' }],
  activity_target_idx: [{ target: 'invoice_0' }, { target: 'invoice_3000' }, { target: 'nothing' }],
  activity_action_idx: [
    { action: 'invoice.created' },
    { action: 'session.rejected' },
    { action: 'none.done' },
  ],
  activity_subject_idx: [{ subject: 'person_0' }, { subject: 'nobody' }],
  activity_severe_idx: [{ severityAtLeast: 'error' }, { severity: 'critical' }],
  activity_failed_idx: [{ outcome: ['failure', 'denied'] }, { outcome: 'unknown' }],
};

interface Setup {
  readonly bench: Bench;
  readonly client: Client;
  readonly turns: Turns;
}

async function gains({ bench, client, turns }: Setup): Promise<Row[]> {
  const rows: Row[] = [];
  const ctx = bench.context(loadedTenant);
  const page = (filter: Filter) => () =>
    listActivities({ ctx, input: { order: 'newest', limit: 50, filter } });
  const byBatch = () =>
    client.query(
      `select count(message) from annals.activity where tenant_id = $1 and batch_id = (
        select id from annals.batch where tenant_id = $1 order by id offset 100 limit 1)`,
      [loadedTenant],
    );
  for (const [index, filters] of [...Object.entries(served), ['activity_batch_idx', undefined] as const]) {
    const calls = filters?.map((filter) => ({
      name: JSON.stringify(filter),
      call: page(Filter.parse(filter)),
    })) ?? [{ name: 'the activities of a batch', call: byBatch }];
    const withIt: Latencies[][] = [];
    for (const { call } of calls) withIt.push(await timeCalls({ ours: call }, turns));
    const restore = await dropIndex(client, index);
    for (const [at, { name, call }] of calls.entries()) {
      const without = await timeCalls({ ours: call }, turns);
      const taken = (withIt[at] ?? []).map(({ ours }, round) => ({
        ours,
        reference: without[round]?.ours ?? [],
      }));
      rows.push(latencyRow({ name: `page of ${name}, p50`, referenceName: `without ${index}` }, taken, 0.5));
    }
    await restore();
  }
  return rows;
}

/** Returns what makes it again. */
async function dropIndex(client: Client, name: string): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ definition: string }>(
    'select pg_get_indexdef($1::regclass) as definition',
    [`annals.${name}`],
  );
  await client.query(`drop index annals.${name}`);
  return async () => {
    await client.query((rows[0]?.definition ?? '').replace(' ON ONLY ', ' ON '));
    await client.query('analyze annals.activity');
  };
}

import { appendActivities, sequence } from '@annals/core';
import { Client } from 'pg';
import { generateActivities, takeNext } from '../data/activities.ts';
import { openBench } from '../open-bench.ts';
import { rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

const tenantId = 'storage';
const callSize = 1_000;

/** Bytes on disk of a record, indexes included, and those of them that integrity adds. */
export const storage: Suite = async ({ database, records }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('truncate annals.activity, annals.batch, annals.log, annals.tile, annals.checkpoint');
    const count = Math.min(records, 200_000);
    const samples = generateActivities({ seed: 4, startMs: Date.now() - 7 * 86_400_000, stepMs: 3_000 });
    for (let stored = 0; stored < count; stored += callSize) {
      const activities = takeNext(samples, callSize);
      await appendActivities({ ctx: bench.context(tenantId), input: { activities } });
      await sequence(bench.services, tenantId);
    }
    // As autovacuum does in time: leaves that were put into tiles are dead rows until then.
    await client.query('vacuum full annals.batch');
    const size = async (expression: string) => {
      const { rows } = await client.query<{ bytes: string }>(`select (${expression})::text as bytes`);
      return Number(rows[0]?.bytes) / count;
    };
    const partitions = `(select sum(pg_total_relation_size(i.inhrelid)) from pg_inherits i
      where i.inhparent = 'annals.activity'::regclass)`;
    const log = await size(['batch', 'log', 'tile'].map(relation).join(' + '));
    const columns = await size(
      `(select sum(pg_column_size(seed) + pg_column_size(own) + pg_column_size(position)) from annals.activity)`,
    );
    const total = (await size(partitions)) + log;
    return [
      rowOf(
        { name: 'storage that integrity adds, a record', unit: 'bytes', target: { of: 'ours', atMost: 130 } },
        [{ ours: log + columns }],
      ),
      rowOf(
        {
          name: 'storage in all, indexes included, a record',
          unit: 'bytes',
          target: { of: 'ours', atMost: 1_400 },
        },
        [{ ours: total }],
      ),
    ];
  } finally {
    await client.end();
    await bench.close();
  }
};

function relation(table: string): string {
  return `pg_total_relation_size('annals.${table}')`;
}

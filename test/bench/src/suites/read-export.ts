import { exportActivities } from '@annals/core';
import { loadedTenant } from '../data/load-records.ts';
import { type Row, rowOf } from '../row.ts';
import type { ReadSetup } from './read.ts';

const exportSize = 50_000;

/** As the SDK takes them: pages of 1,000, the next one asked for while the last is written as JSON. */
export async function readExport(setup: ReadSetup): Promise<Row[]> {
  const ctx = setup.bench.context(loadedTenant);
  const rounds: { ours: number; reference: number }[] = [];
  const memory: { ours: number }[] = [];
  for (let round = 0; round <= setup.turns.rounds; round += 1) {
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let most = before;
    const ours = await rateOf(async () => {
      let written = 0;
      let page = exportActivities({ ctx, input: { order: 'oldest', limit: 1_000 } });
      for (;;) {
        const { activities, next } = await page;
        if (next === undefined || written + activities.length >= exportSize) break;
        page = exportActivities({ ctx, input: { order: 'oldest', limit: 1_000, cursor: next } });
        for (const activity of activities) JSON.stringify(activity);
        written += activities.length;
        most = Math.max(most, process.memoryUsage().rss);
      }
      await page;
      return written;
    });
    const reference = await rateOf(async () => {
      let written = 0;
      for (; written < exportSize; written += 1_000) {
        const { rows } = await setup.client.query(
          `select * from annals.activity where tenant_id = $1 order by occurred_at, id limit 1000 offset $2`,
          [loadedTenant, written],
        );
        if (rows.length === 0) break;
        for (const row of rows) JSON.stringify(row);
      }
      return written;
    });
    if (round === 0) continue;
    rounds.push({ ours, reference });
    memory.push({ ours: (most - before) / 2 ** 20 });
  }
  return [
    rowOf(
      { name: 'export', unit: 'records/s', referenceName: 'OFFSET', target: { of: 'ours', atLeast: 50_000 } },
      rounds,
    ),
    rowOf({ name: 'export, memory growth', unit: 'MiB', target: { of: 'ours', atMost: 200 } }, memory),
  ];
}

async function rateOf(work: () => Promise<number>): Promise<number> {
  const startMs = performance.now();
  const done = await work();
  return (done * 1_000) / (performance.now() - startMs);
}

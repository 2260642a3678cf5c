import { type ActivityInput, Filter } from '@annals/contract';
import { appendActivities, listActivities, proveActivity, statsActivities } from '@annals/core';
import { Client } from 'pg';
import { generateActivities, takeNext } from '../data/activities.ts';
import { loadedTenant } from '../data/load-records.ts';
import { growLoaded, loadedSize } from '../data/loaded.ts';
import { type Bench, openBench } from '../open-bench.ts';
import { type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';
import type { Turns } from '../take-turns.ts';
import { type Call, latencyRow, timeCalls } from '../time-calls.ts';
import { growLog, proofTenant } from './proof.ts';
import { cursorAtDepth } from './read.ts';

const sizesUsual = [10_000, 100_000, 1_000_000];

/** What the same costs as the log grows: sizes from the smallest on, in one database; and how steeply it rises. */
export const size: Suite = async ({ database, sizes = sizesUsual, ...turns }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  const rows: Row[] = [];
  try {
    let proofs: readonly string[] = [];
    let logSize = 0;
    for (const records of sizes.toSorted((a, b) => a - b)) {
      // In a database that is given there can be more already.
      if ((await loadedSize(client)) > records) continue;
      await growLoaded({ url, bench }, records);
      proofs = [...proofs, ...(await growLog(bench, { url, from: logSize, entries: records }))];
      logSize = records;
      rows.push(...(await costsAt({ bench, client, turns, records, proofs })));
    }
    return [...rows, ...slopes(rows)];
  } finally {
    await client.end();
    await bench.close();
  }
};

interface Setup {
  readonly bench: Bench;
  readonly client: Client;
  readonly turns: Turns;
  readonly records: number;
  /** Activities of the log that proofs are asked of. */
  readonly proofs: readonly string[];
}

async function costsAt(setup: Setup): Promise<Row[]> {
  const { bench, client, turns, records, proofs } = setup;
  const ctx = bench.context(loadedTenant);
  const page = (cursor?: string) => () =>
    listActivities({ ctx, input: { order: 'newest', limit: 50, cursor, filter: Filter.parse({}) } });
  const { cursor } = await cursorAtDepth(setup, {
    filter: {},
    condition: 'true',
    part: 0.5,
    depthMax: Number.POSITIVE_INFINITY,
  });
  let asked = 0;
  const proof = () =>
    proveActivity({
      ctx: bench.context(proofTenant),
      input: { id: proofs[(asked++ * 7_919) % proofs.length] as string },
    });
  const calls: [name: string, call: Call][] = [
    ['first page', page()],
    ['page at half the depth', page(cursor)],
    [
      'stats by action by day',
      () =>
        statsActivities({
          ctx,
          input: { groupBy: ['action'], interval: 'day', timeZone: 'UTC', limit: 10_000 },
        }),
    ],
    ['inclusion proof', proof],
  ];
  const rows: Row[] = [];
  for (const [name, call] of calls) {
    rows.push(latencyRow({ name, size: records }, await timeCalls({ ours: call }, turns), 0.5));
  }
  // Last, since what it writes must not be in the way of the others.
  return [await ingestAt({ bench, client, turns, records }), ...rows];
}

const callSize = 1_000;
const callsARound = 10;

/** Appends to the tenant that has most of what is there; they are removed again. */
async function ingestAt({ bench, client, turns, records }: Omit<Setup, 'proofs'>): Promise<Row> {
  const ctx = bench.context(loadedTenant);
  const startMs = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  const samples = generateActivities({ seed: records, startMs, stepMs: 10 });
  const rounds: { ours: number }[] = [];
  for (let round = 0; round <= turns.rounds; round += 1) {
    const calls = Array.from({ length: callsARound }, () => takeNext(samples, callSize));
    const beganMs = performance.now();
    await Promise.all([
      appendEach(calls.slice(0, callsARound / 2)),
      appendEach(calls.slice(callsARound / 2)),
    ]);
    const microseconds = ((performance.now() - beganMs) * 1_000) / (callSize * callsARound);
    // The first warms caches and compilers.
    if (round > 0) rounds.push({ ours: microseconds });
  }
  await client.query('delete from annals.batch where tenant_id = $1 and first_index is null', [loadedTenant]);
  await client.query('delete from annals.activity where tenant_id = $1 and occurred_at >= $2', [
    loadedTenant,
    new Date(startMs),
  ]);
  await client.query('vacuum annals.activity, annals.batch');
  return rowOf({ name: 'ingest', unit: 'us a record', size: records }, rounds);

  async function appendEach(calls: readonly ActivityInput[][]): Promise<void> {
    for (const activities of calls) await appendActivities({ ctx, input: { activities } });
  }
}

/** Of the logarithm of the cost by that of the size: 0 costs the same at any size, 1 grows as the log does. */
function slopes(rows: readonly Row[]): Row[] {
  return [...Map.groupBy(rows, ({ name }) => name)].flatMap(([name, points]) => {
    if (points.length < 2) return [];
    const xs = points.map((point) => Math.log10(point.size ?? Number.NaN));
    const ys = points.map(({ ours }) => Math.log10(ours));
    return [rowOf({ name: `slope of ${name}`, unit: 'log/log' }, [{ ours: slopeOf(xs, ys) }])];
  });
}

/** Of the line with the least squares. */
function slopeOf(xs: readonly number[], ys: readonly number[]): number {
  const [x, y] = [mean(xs), mean(ys)];
  const covariance = xs.reduce((sum, value, at) => sum + (value - x) * ((ys[at] ?? y) - y), 0);
  return covariance / xs.reduce((sum, value) => sum + (value - x) ** 2, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

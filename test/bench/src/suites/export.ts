import { createAnnals } from '@annals/client';
import { scopes } from '@annals/contract';
import { bootstrapKey } from '@annals/core';
import { Client } from 'pg';
import { loadedTenant } from '../data/load-records.ts';
import { growLoaded } from '../data/loaded.ts';
import { openBench } from '../open-bench.ts';
import { type BenchServer, openServer } from '../open-server.ts';
import { rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

/** OFFSET gets slower with each page; nobody would wait for its end. */
const referenceMax = 50_000;
/** A round of millions of records is long enough to be the only one. */
const longMs = 60_000;

/**
 * Exports of all that a tenant has from a server of its own, over HTTP, read by a process that counts the lines; beside
 * paging by OFFSET in process. The memory is the server's: what it takes at most while it writes, beyond what it took
 * before.
 */
export const exports: Suite = async ({ database, records, rounds }) => {
  const url = await database();
  const bench = await openBench(url);
  await growLoaded({ url, bench }, records);
  const { secret: apiKey } = await bootstrapKey(bench.services, {
    tenantId: loadedTenant,
    name: 'bench',
    scopes,
  });
  const server = await openServer(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const annals = createAnnals({ url: server.url, apiKey });
    const rates: { ours: number; reference: number }[] = [];
    const growths: { ours: number }[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const startMs = performance.now();
      const memory = await watchMemory(server);
      const ours = await rateOf(async () => {
        let lines = 0;
        for await (const { count } of annals.export(undefined, { order: 'oldest' }).lines()) lines += count;
        return lines;
      });
      const growth = await memory.end();
      const reference = await rateOf(() => pageByOffset(client));
      const isLong = performance.now() - startMs > longMs;
      // The first warms caches and compilers, unless that is soon done in so long a round.
      if (round === 0 && !isLong) continue;
      rates.push({ ours, reference });
      growths.push({ ours: growth / 2 ** 20 });
      if (isLong) break;
    }
    const size = `of ${records.toLocaleString('en')} loaded`;
    const target = { of: 'ours', atLeast: 50_000 } as const;
    return [
      rowOf(
        {
          name: `export over HTTP, ${size}`,
          unit: 'records/s',
          referenceName: 'OFFSET, its first pages, in process',
          target,
        },
        rates,
      ),
      rowOf(
        { name: `export, growth of the server, ${size}`, unit: 'MiB', target: { of: 'ours', atMost: 200 } },
        growths,
      ),
    ];
  } finally {
    await client.end();
    await server.close();
    await bench.close();
  }
};

async function watchMemory(server: BenchServer): Promise<{ end(): Promise<number> }> {
  const before = await server.memory();
  let most = before;
  const ended = new AbortController();
  const watched = (async () => {
    while (!ended.signal.aborted) {
      most = Math.max(most, await server.memory());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    end: async () => {
      ended.abort();
      await watched;
      return most - before;
    },
  };
}

async function pageByOffset(client: Client): Promise<number> {
  let written = 0;
  for (; written < referenceMax; written += 1_000) {
    const { rows } = await client.query(
      `select * from annals.activity where tenant_id = $1 order by occurred_at, id limit 1000 offset $2`,
      [loadedTenant, written],
    );
    if (rows.length === 0) break;
    for (const row of rows) JSON.stringify(row);
  }
  return written;
}

async function rateOf(work: () => Promise<number>): Promise<number> {
  const startMs = performance.now();
  const done = await work();
  return (done * 1_000) / (performance.now() - startMs);
}

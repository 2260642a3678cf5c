import { createHash } from 'node:crypto';
import { appendActivities, proveActivity, sequence } from '@annals/core';
import { hashBytes, rootOf, splitHashes } from '@annals/tlog';
import { Client } from 'pg';
import { v7 } from 'uuid';
import { generateActivities, takeNext } from '../data/activities.ts';
import { type Bench, openBench } from '../open-bench.ts';
import { quantile, type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

export const proofTenant = 'proof';
const tenantId = proofTenant;
const batchSize = 10_000;
/** In a round, for each of its seconds. */
const askedPerSecond = 400;

/** How long a proof of inclusion takes in a log of so many entries, of which most stand for other activities. */
export const proof: Suite = async ({ database, records, rounds, seconds }) => {
  const url = await database();
  const bench = await openBench(url);
  try {
    const ids = await growLog(bench, { url, from: 0, entries: records });
    const ctx = bench.context(tenantId);
    const taken: number[][] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const latencies: number[] = [];
      for (let call = 0; call < askedPerSecond * seconds; call += 1) {
        const startMs = performance.now();
        await proveActivity({ ctx, input: { id: ids[(call * 7_919) % ids.length] as string } });
        latencies.push(performance.now() - startMs);
      }
      // The first warms caches and compilers.
      if (round > 0) taken.push(latencies);
    }
    const row = (part: number, label: string): Row =>
      rowOf(
        {
          name: `inclusion proof in a log of ${records.toLocaleString('en')} entries, ${label}`,
          unit: 'ms',
          ...(part === 0.99 && { target: { of: 'ours', atMost: 10 } }),
        },
        taken.map((latencies) => ({ ours: quantile(latencies, part) })),
      );
    return [row(0.5, 'p50'), row(0.99, 'p99')];
  } finally {
    await bench.close();
  }
};

interface Growth {
  readonly url: string;
  /** Entries that it has already. */
  readonly from: number;
  readonly entries: number;
}

/** Real activities among batches of leaves alone, which the log treats alike. Returns the activities' ids. */
export async function growLog(bench: Bench, { url, from, entries }: Growth): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  // However many there are, none occurs in the future, which would be refused.
  const samples = generateActivities({ seed: 3, startMs: Date.now() - 7 * 86_400_000, stepMs: 1_000 });
  const ids: string[] = [];
  try {
    for (let size = from; size < entries; size += batchSize) {
      const activities = takeNext(samples, 100);
      await appendActivities({ ctx: bench.context(tenantId), input: { activities } });
      ids.push(...activities.map(({ id }) => id));
      await insertLeaves(client, batchSize - activities.length);
      while ((await sequence(bench.services, tenantId)) > 0);
    }
    const { rows } = await client.query<{ epoch: number; size: string; root: Buffer }>(
      'select epoch, size, root from annals.log where tenant_id = $1',
      [tenantId],
    );
    const [log] = rows;
    // Of a checkpoint a proof takes the note as it is: nobody verifies it here.
    await client.query(
      `insert into annals.checkpoint (tenant_id, epoch, size, root, note, verifier_keys, signed_at)
        values ($1, $2, $3, $4, 'bench/proof\n', '{}', now())`,
      [tenantId, log?.epoch, log?.size, log?.root],
    );
    return ids;
  } finally {
    await client.end();
  }
}

let made = 0;

async function insertLeaves(client: Client, count: number): Promise<void> {
  const leaves = Buffer.alloc(count * hashBytes, createHash('sha256').update(String(made++)).digest());
  for (let at = 0; at < count; at += 1) leaves.writeUInt32BE(at, at * hashBytes);
  await client.query(
    `insert into annals.batch
      (tenant_id, id, size, recorded_at, first_occurred_at, last_occurred_at, root, leaves)
      values ($1, $2, $3, now(), now(), now(), $4, $5)`,
    [tenantId, v7(), count, Buffer.from(rootOf(splitHashes(leaves))), leaves],
  );
}

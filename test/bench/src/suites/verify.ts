import { appendActivities, exportBundle, logOrigin, newestLog, sequence } from '@annals/core';
import {
  formatCheckpoint,
  formatPolicy,
  formatVerifierKey,
  signingKey,
  signNote,
  verifyAuditBundle,
} from '@annals/tlog';
import { Client } from 'pg';
import { generateActivities, takeNext } from '../data/activities.ts';
import { type Bench, openBench } from '../open-bench.ts';
import { rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';
import { takeTurns } from '../take-turns.ts';

const tenantId = `verify-${Date.now()}`;
const callSize = 1_000;

/** Verification of a bundle in memory by one thread; `annals verify` runs one a core. */
export const verify: Suite = async ({ database, records, ...turns }) => {
  const url = await database();
  const bench = await openBench(url);
  try {
    const count = Math.min(records, 50_000);
    const samples = generateActivities({ seed: 5, startMs: Date.now() - 86_400_000, stepMs: 100 });
    for (let stored = 0; stored < count; stored += callSize) {
      const activities = takeNext(samples, callSize);
      await appendActivities({ ctx: bench.context(tenantId), input: { activities } });
    }
    while ((await sequence(bench.services, tenantId)) > 0);
    const policyText = await sign(bench, url);
    const chunks = chunksOf(await exportWhole(bench));
    const ours = async () => {
      const report = await verifyAuditBundle(chunks, { policy: policyText, now: new Date() });
      if (report.verdict !== 'valid') throw new Error(`the bundle is ${report.verdict}`);
      return report.counts.disclosed;
    };
    const rounds = await takeTurns({ ours }, turns);
    return [
      rowOf(
        {
          name: 'verify a bundle, 1 kB records, one core',
          unit: 'records/s',
          target: { of: 'ours', atLeast: 50_000 },
        },
        rounds,
      ),
    ];
  } finally {
    await bench.close();
  }
};

/** Returns the policy that trusts the key. */
async function sign({ services }: Bench, url: string): Promise<string> {
  const log = await services.db.transaction(tenantId, (tx) => newestLog(tx));
  if (!log) throw new Error('nothing was sequenced');
  const { epoch, size, root } = log;
  const origin = logOrigin({ logName: 'bench', tenantId, epoch });
  const key = signingKey({ name: origin, type: 'ed25519', seed: new Uint8Array(32).fill(1) });
  const note = signNote(formatCheckpoint({ origin, size, root, extensions: [] }), [key]);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `insert into annals.checkpoint (tenant_id, epoch, size, root, note, verifier_keys, signed_at)
        values ($1, $2, $3, $4, $5, $6, now())`,
      [tenantId, epoch, size, Buffer.from(root), note, [formatVerifierKey(key)]],
    );
  } finally {
    await client.end();
  }
  return formatPolicy({ logs: [{ key }], witnesses: [], quorum: { kind: 'none' } });
}

/** As a file is read. */
function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const size = 64 * 1024;
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}

async function exportWhole(bench: Bench): Promise<Uint8Array> {
  const texts: string[] = [];
  const write = async (text: string) => void texts.push(text);
  await exportBundle({ ctx: bench.context(tenantId), input: { write } });
  return Buffer.from(texts.join(''));
}

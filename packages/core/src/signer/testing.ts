import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anActivity } from '@annals/testkit';
import {
  parseCheckpoint,
  parseNote,
  type VerifierKey,
  verifierKey,
  verifyConsistency,
  verifyNote,
} from '@annals/tlog';
import { Client } from 'pg';
import { appendActivities } from '../activity/append.ts';
import type { Context } from '../context.ts';
import { consistencyProof } from '../log/consistency-proof.ts';
import { openTestCore, sequenceAll, type TestCore } from '../testing.ts';
import { ensureLogKey } from './ensure-log-key.ts';
import { type SignedCheckpoint as SignedNow, signLog } from './sign-log.ts';
import { openStateDirectory } from './state-directory.ts';

/** For tests of signing: a database, a directory, and the superuser who can do everything but write the latter. */
export interface TestSigner {
  readonly core: TestCore;
  readonly dir: string;
  readonly admin: Client;
  /** Append so many activities and sequence them. */
  grow(tenantId: string, count?: number): Promise<void>;
  sign(tenantId: string): Promise<SignedNow | undefined>;
  /** Remember what the database holds of a tenant's log; the function returned brings it back. */
  backUp(tenantId: string): Promise<() => Promise<void>>;
  checkpoints(tenantId: string): Promise<{ epoch: number; size: number; note: string }[]>;
  close(): Promise<void>;
}

const tables = ['activity', 'batch', 'log', 'tile', 'checkpoint'];

export async function openTestSigner(): Promise<TestSigner> {
  const core = await openTestCore();
  const dir = await mkdtemp(join(tmpdir(), 'annals-signer-'));
  const admin = new Client({ connectionString: core.url });
  await admin.connect();
  return {
    core,
    dir,
    admin,
    grow: async (tenantId, count = 1) => {
      const ctx: Context = core.context({ tenantId });
      const activities = Array.from({ length: count }, () => anActivity());
      await appendActivities({ ctx, input: { activities } });
      await sequenceAll(core, tenantId);
    },
    sign: async (tenantId) => {
      const keys = await ensureLogKey(core.services, { dir, logName: 'test.example' });
      if (!keys) throw new Error('the keys are elsewhere');
      return signLog({ services: core.services, keys, state: await openStateDirectory(dir) }, tenantId);
    },
    backUp: (tenantId) => backUp(admin, tenantId),
    checkpoints: async (tenantId) => {
      const { rows } = await admin.query<{ epoch: number; size: number; note: string }>(
        `select epoch, size::int as size, note from annals.checkpoint where tenant_id = $1 order by epoch, size`,
        [tenantId],
      );
      return rows;
    },
    close: async () => {
      await admin.end();
      await core.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function backUp(admin: Client, tenantId: string): Promise<() => Promise<void>> {
  const saved = new Map<string, unknown[]>();
  for (const table of tables) {
    const { rows } = await admin.query<{ row: unknown }>(
      `select to_jsonb(t) as row from annals.${table} t where tenant_id = $1`,
      [tenantId],
    );
    saved.set(
      table,
      rows.map(({ row }) => row),
    );
  }
  return async () => {
    for (const table of tables) {
      await admin.query(`delete from annals.${table} where tenant_id = $1`, [tenantId]);
      await admin.query(
        `insert into annals.${table} select * from jsonb_populate_recordset(null::annals.${table}, $1::jsonb)`,
        [JSON.stringify(saved.get(table))],
      );
    }
  };
}

/** Check that every checkpoint of a tenant's epoch is signed by one of these public keys and extends the one before. */
export async function expectConsistent(
  signer: TestSigner,
  { tenantId, epoch, publicKeys }: { tenantId: string; epoch: number; publicKeys: readonly Uint8Array[] },
): Promise<void> {
  const notes = (await signer.checkpoints(tenantId)).filter((each) => each.epoch === epoch);
  let from: { size: number; root: Uint8Array } | undefined;
  for (const { note } of notes) {
    const { origin, ...to } = parseCheckpoint(parseNote(note).text);
    verifyNote(parseNote(note), keysOf(origin, publicKeys));
    const before = from;
    if (before) {
      const proof = await signer.core.services.db.transaction(tenantId, (tx) =>
        consistencyProof(tx, { epoch, size: to.size, from: before.size }),
      );
      verifyConsistency({ from: before, to, proof });
    }
    from = to;
  }
}

export function keysOf(origin: string, publicKeys: readonly Uint8Array[]): VerifierKey[] {
  return publicKeys.map((publicKey) => verifierKey({ name: origin, type: 'ed25519', publicKey }));
}

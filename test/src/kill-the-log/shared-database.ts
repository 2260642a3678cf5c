import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scopes } from '@annals/contract';
import {
  bootstrapKey,
  type Context,
  exportBundle,
  migrate,
  openServices,
  provision,
  readStoredKeys,
  type Services,
  systemClock,
} from '@annals/core';
import { createTestDatabase } from '@annals/testkit';
import {
  type BundleReport,
  formatPolicy,
  parseCheckpoint,
  parseNote,
  type Receipt,
  verifierKey,
  verifyAuditBundle,
} from '@annals/tlog';
import { Client } from 'pg';
import { expect } from 'vitest';
import { type AnnalsProcess, startAnnalsProcess } from '../process.ts';

export const tenantId = 'killed';

/** A database and a signer's directory that several processes share, one after the other or at once. */
export interface SharedDatabase {
  readonly url: string;
  readonly signerDir: string;
  /** As the superuser, until the database is replaced. */
  admin(): Client;
  start(): Promise<AnnalsProcess>;
  /** Keep a copy; nobody may be connected. The function returned puts it in place of what is there by then. */
  backUp(): Promise<() => Promise<void>>;
  /** Every checkpoint that was seen so far, and those that are there now. */
  seeCheckpoints(): Promise<readonly string[]>;
  audit(seen: {
    readonly notes: readonly string[];
    readonly receipts: readonly Receipt[];
  }): Promise<BundleReport>;
  close(): Promise<void>;
}

const template = {
  name: 'annals',
  create: async (url: string) => {
    await provision(url);
    await migrate(url);
  },
};

export async function openSharedDatabase(): Promise<SharedDatabase> {
  const database = await createTestDatabase({ template });
  const { url } = database;
  const dir = await mkdtemp(join(tmpdir(), 'annals-kill-'));
  const signerDir = join(dir, 'signer');
  let watching = await watch(url);
  const apiKey = await makeKey(watching.services);
  const published = new Map<string, string>();
  const started: AnnalsProcess[] = [];
  return {
    url,
    signerDir,
    admin: () => watching.admin,
    start: async () => {
      const annals = await startAnnalsProcess({
        dataDir: dir,
        access: { apiKey, tenantId },
        env: {
          DATABASE_URL: url,
          ANNALS_SIGNER_DIR: signerDir,
          ANNALS_LOG_NAME: 'test.example',
          ANNALS_MANIFEST_HOURS: '0',
          ANNALS_DATABASE_POOL_MAX: '6',
        },
      });
      started.push(annals);
      return annals;
    },
    backUp: async () => {
      await watching.close();
      const copy = `${database.name}_copy`;
      await maintain(url, [`create database ${copy} template ${database.name}`]);
      watching = await watch(url);
      return async () => {
        await watching.close();
        await maintain(url, [
          `drop database ${database.name}`,
          `alter database ${copy} rename to ${database.name}`,
        ]);
        watching = await watch(url);
      };
    },
    seeCheckpoints: async () => {
      const { rows } = await watching.admin.query<{ note: string }>(
        `select note from annals.checkpoint where tenant_id = $1 order by epoch, size`,
        [tenantId],
      );
      for (const { note } of rows) {
        const { origin, size } = parseCheckpoint(parseNote(note).text);
        // Of one size there is one tree: Ed25519 has one signature of it, too.
        expect(published.get(`${origin} ${size}`) ?? note).toBe(note);
        published.set(`${origin} ${size}`, note);
      }
      return [...published.values()];
    },
    audit: (seen) => audit({ ...watching, signerDir, ...seen }),
    close: async () => {
      await Promise.all(started.map((annals) => annals.kill()));
      await watching.close();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** What looks at the database from beside the processes. */
async function watch(url: string) {
  const admin = await connect(url);
  const opened = await openServices({ database: { url }, poolMax: 2 });
  return { admin, services: opened.services, close: () => Promise.all([admin.end(), opened.close()]) };
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  return client;
}

/** From outside of the database, as the superuser. */
async function maintain(url: string, statements: readonly string[]): Promise<void> {
  const outside = new URL(url);
  outside.pathname = '/postgres';
  const client = await connect(outside.href);
  for (const statement of statements) await client.query(statement);
  await client.end();
}

async function makeKey(services: Services): Promise<string> {
  const { secret } = await bootstrapKey(services, { tenantId, name: 'test', scopes: [...scopes] });
  return secret;
}

interface Audit {
  readonly services: Services;
  readonly signerDir: string;
  readonly notes: readonly string[];
  readonly receipts: readonly Receipt[];
}

async function audit({ services, signerDir, notes, receipts }: Audit): Promise<BundleReport> {
  const principal = { keyId: 'auditor', keyName: 'auditor', tenantId, scopes };
  const ctx: Context = { ...services, tenantId, principal, requestId: 'audit' };
  const parts: Buffer[] = [];
  await exportBundle({ ctx, input: { write: async (text) => void parts.push(Buffer.from(text)) } });
  const logs = (await readStoredKeys(signerDir)).map(({ key }) => ({
    key: verifierKey({ ...key, name: `test.example/${tenantId}` }),
  }));
  const policy = formatPolicy({ logs, witnesses: [], quorum: { kind: 'none' } });
  return verifyAuditBundle(parts, { policy, heldCheckpoints: notes, receipts, now: systemClock.now() });
}

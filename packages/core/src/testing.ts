import { scopes } from '@annals/contract';
import { createFakeClock, createTestDatabase, type FakeClock } from '@annals/testkit';
import {
  formatCheckpoint,
  formatPolicy,
  formatVerifierKey,
  type SigningKey,
  signingKey,
  signNote,
} from '@annals/tlog';
import { sql } from 'kysely';
import { Client } from 'pg';
import type { Context, Principal, Services } from './context.ts';
import { type DatabaseOptions, openDatabase } from './database/database.ts';
import { migrate, provision } from './database/provision.ts';
import type { JobQueue } from './job/queue.ts';
import { newestLog } from './log/newest-log.ts';
import { sequence } from './log/sequence.ts';
import { silentLogger } from './logger.ts';
import { ensureLogKey } from './signer/ensure-log-key.ts';
import { logOrigin } from './signer/origin.ts';
import { signLog } from './signer/sign-log.ts';
import { openStateDirectory } from './signer/state-directory.ts';

/** What a worker does now and then. */
export { sealDueManifests } from './manifest/seal-due-manifests.ts';

/** For tests of any room: a migrated database of their own, the services on it, and contexts to call verbs with. */
export interface TestCore {
  readonly url: string;
  readonly services: Services;
  readonly clock: FakeClock;
  /** What was handed to the job queue; nothing runs unless the test runs it. */
  readonly enqueued: { tenantId: string; jobId: string }[];
  /** A context of a new tenant, or of the one given, whose caller has all scopes unless told otherwise. */
  context(options?: { tenantId?: string; principal?: Partial<Principal> }): Context;
  close(): Promise<void>;
}

const template = {
  name: 'annals',
  create: async (url: string) => {
    await provision(url);
    await migrate(url);
  },
};

export async function openTestCore(): Promise<TestCore> {
  const database = await createTestDatabase({ template });
  const db = await openDatabase(databaseOptions(database.url));
  const clock = createFakeClock(new Date('2026-06-15T12:00:00.000Z'));
  const enqueued: { tenantId: string; jobId: string }[] = [];
  const queue: JobQueue = { enqueue: async (job) => void enqueued.push(job) };
  const services: Services = {
    db,
    clock,
    log: silentLogger,
    queue,
    readTimeoutMs: 30_000,
    manifestIntervalMs: 86_400_000,
  };
  let tenants = 0;
  return {
    url: database.url,
    services,
    clock,
    enqueued,
    context: ({ tenantId, principal } = {}) => {
      const tenant = tenantId ?? `t${++tenants}`;
      return {
        ...services,
        tenantId: tenant,
        principal: { keyId: 'test000000000000', keyName: 'test', tenantId: tenant, scopes, ...principal },
        requestId: 'req-test',
      };
    },
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
}

function databaseOptions(url: string): DatabaseOptions {
  return { urls: { app: url, custodian: url }, setRole: true, poolMax: 4 };
}

/** For tests of what several processes do on one database. */
export interface TestPair {
  readonly core: TestCore;
  /** The services of another process, as far as the database can tell. */
  readonly other: Services;
  /** Sees and may do everything, past the roles. */
  readonly admin: Client;
  close(): Promise<void>;
}

export async function openTestPair(): Promise<TestPair> {
  const core = await openTestCore();
  const db = await openDatabase(databaseOptions(core.url));
  const admin = new Client({ connectionString: core.url });
  await admin.connect();
  return {
    core,
    other: { ...core.services, db },
    admin,
    close: async () => {
      await admin.end();
      await db.close();
      await core.close();
    },
  };
}

/** Bring all that is committed for the tenant into its log, as a sequencer would; returns how many activities. */
export async function sequenceAll(
  { services }: Pick<TestCore, 'services'>,
  tenantId: string,
): Promise<number> {
  let total = 0;
  for (;;) {
    const added = await sequence(services, tenantId);
    if (added === 0) return total;
    total += added;
  }
}

/**
 * Sequence and sign all that is committed for a tenant, with the key of a signer's directory, which is made where
 * there is none; returns the note, or undefined where nothing was left to sign.
 */
export async function signAll(
  core: Pick<TestCore, 'services'>,
  { tenantId, dir }: { readonly tenantId: string; readonly dir: string },
): Promise<string | undefined> {
  await sequenceAll(core, tenantId);
  const keys = await ensureLogKey(core.services, { dir, logName: 'test.example' });
  if (!keys) throw new Error('the database was signed with the keys of another directory');
  const state = await openStateDirectory(dir);
  return (await signLog({ services: core.services, keys, state }, tenantId))?.note;
}

/** For tests: sequence and sign all that is committed for the tenant, with a key that all tests know. */
export async function signCommitted(
  core: Pick<TestCore, 'services'>,
  tenantId: string,
): Promise<SignedCheckpoint> {
  await sequenceAll(core, tenantId);
  return signCheckpoint(core, tenantId);
}

/** For tests: begin the next epoch of a tenant's log, without the record that opens one and what it cites. */
export async function beginEpoch({ services }: Pick<TestCore, 'services'>, tenantId: string): Promise<void> {
  await services.db.transaction(
    tenantId,
    (tx) =>
      tx.query(sql`
        insert into annals.log (tenant_id, epoch, size, root, edge, sequenced_at)
        select tenant_id, max(epoch) + 1, 0, sha256(''), '{}', ${services.clock.now().toISOString()}
        from annals.log where tenant_id = ${tenantId} group by tenant_id`),
    { role: 'custodian' },
  );
}

export interface SignedCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly note: string;
  /** A policy file that trusts the log's key. */
  readonly policy: string;
}

/** For tests: sign the tenant's newest log as it is sequenced, with a key that all tests know. */
export async function signCheckpoint(
  { services }: { readonly services: Pick<Services, 'db' | 'clock'> },
  tenantId: string,
): Promise<SignedCheckpoint> {
  return services.db.transaction(
    tenantId,
    async (tx) => {
      const log = await newestLog(tx);
      if (!log) throw new Error('nothing was sequenced yet');
      const { epoch, size, root } = log;
      const origin = logOrigin({ logName: 'log.test', tenantId, epoch });
      const key = testSigningKey(origin);
      const note = signNote(formatCheckpoint({ origin, size, root, extensions: [] }), [key]);
      await tx.query(sql`
        insert into annals.checkpoint (tenant_id, epoch, size, root, note, verifier_keys, signed_at)
        values (${tenantId}, ${epoch}, ${size}, ${Buffer.from(root)}, ${note}, ${[formatVerifierKey(key)]},
          ${services.clock.now().toISOString()})
        on conflict do nothing`);
      tx.notify('annals_checkpoint');
      return { origin, size, note, policy: testPolicy(origin) };
    },
    { role: 'custodian' },
  );
}

/** For tests: the key that `signCheckpoint` signs the log of this origin with. */
export function testSigningKey(origin: string): SigningKey {
  return signingKey({ name: origin, type: 'ed25519', seed: new Uint8Array(32).fill(7) });
}

/** For tests: a policy file that trusts that key. */
export function testPolicy(origin: string): string {
  return formatPolicy({ logs: [{ key: testSigningKey(origin) }], witnesses: [], quorum: { kind: 'none' } });
}

export { type Disturbance, type Disturbed, disturb, holdCommits } from './database/testing.ts';

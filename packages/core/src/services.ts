import { AnnalsError } from '@annals/contract';
import { Client } from 'pg';
import { type Clock, systemClock } from './clock.ts';
import type { Services } from './context.ts';
import { openDatabase } from './database/database.ts';
import { toDomainError } from './database/domain-error.ts';
import { migrate, provision } from './database/provision.ts';
import { createJobQueue } from './job/graphile-queue.ts';
import { type Logger, silentLogger } from './logger.ts';

/** One login that takes the three roles by SET ROLE, or a login of its own for each. */
export type DatabaseAccess =
  | { readonly url: string }
  | { readonly owner: string; readonly app: string; readonly custodian: string };

export interface OpenServicesOptions {
  readonly database: DatabaseAccess;
  /** Bring the schema to this version first, and with one login create the roles. Otherwise it must be so. */
  readonly migrate?: boolean;
  /** Connections of each of the two pools, 10 unless told otherwise. */
  readonly poolMax?: number;
  /** How long one read may run in the database; 30 s unless told otherwise. */
  readonly readTimeoutMs?: number;
  /** For how long erasures gather in one manifest before it is sealed; a day unless told otherwise. */
  readonly manifestIntervalMs?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
}

export interface OpenedServices {
  readonly services: Services;
  /** End the connections; calls in hand fail. */
  close(): Promise<void>;
}

/**
 * The services of one process on a database.
 *
 * Several processes may do this at once, with `migrate` too: they wait for each other.
 * Errors  `invalid_input` for a PostgreSQL that is too old, and without `migrate` for a database that no server
 *         has prepared; `unavailable` when it cannot be reached.
 */
export async function openServices(options: OpenServicesOptions): Promise<OpenedServices> {
  const { database } = options;
  await prepareDatabase(database, options.migrate ?? false);
  const db = await openDatabase({
    urls: 'url' in database ? { app: database.url, custodian: database.url } : database,
    setRole: 'url' in database,
    ...(options.poolMax !== undefined && { poolMax: options.poolMax }),
  });
  const services: Services = {
    db,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLogger,
    queue: createJobQueue(db),
    readTimeoutMs: options.readTimeoutMs ?? 30_000,
    manifestIntervalMs: options.manifestIntervalMs ?? 86_400_000,
  };
  return { services, close: () => db.close() };
}

async function prepareDatabase(database: DatabaseAccess, bringUpToDate: boolean): Promise<void> {
  const ownerUrl = 'url' in database ? database.url : database.owner;
  const client = new Client({ connectionString: ownerUrl, application_name: 'annals start' });
  // A dropped connection fails the statement in hand; without a listener it would end the process besides.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    assertSupportedServer(rows[0]?.server_version ?? '');
    if (!bringUpToDate) return await assertMigrated(client);
    // Held until this connection ends, which a killed process' does as well.
    await client.query(`select pg_advisory_lock(hashtext('annals.migrate'))`);
    // Logins of their own were made by whoever made the roles.
    if ('url' in database) await provision(ownerUrl);
    await migrate(ownerUrl);
  } catch (error) {
    throw toDomainError(error);
  } finally {
    await client.end();
  }
}

async function assertMigrated(client: Client): Promise<void> {
  const { rowCount } = await client.query(
    `select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'annals' and c.relname = 'activity'`,
  );
  if (rowCount) return;
  throw new AnnalsError({
    code: 'invalid_input',
    message: 'not prepared for Annals; start a server on it first',
    path: 'database',
  });
}

const oldestMajor = 15;

/** Takes `show server_version`, as `16.4 (Debian 16.4-1)`. Errors: `invalid_input` naming the version. */
export function assertSupportedServer(serverVersion: string): void {
  const [version = 'of an unknown version'] = /^\d+[\w.]*/.exec(serverVersion) ?? [];
  if (Number.parseInt(version, 10) >= oldestMajor) return;
  throw new AnnalsError({
    code: 'invalid_input',
    message: `PostgreSQL ${version} is not supported; Annals needs ${oldestMajor} or later`,
    path: 'database',
  });
}

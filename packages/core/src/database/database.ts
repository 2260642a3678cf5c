import { AnnalsError } from '@annals/contract';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { RawBuilder } from 'kysely';
import { entities } from '../entities.ts';
import { toDomainError } from './domain-error.ts';
import { releaseLostConnections } from './release-lost-connections.ts';
import { type RuntimeRole, roles, setRole } from './roles.ts';
import { wholeUrl } from './whole-url.ts';

/** One open transaction, bound to one tenant by the ORM filter and by row-level security. */
export interface Tx {
  readonly tenantId: string;
  /** For entities: the tenant filter is on, and nothing is shared with other transactions. */
  readonly em: EntityManager;
  /** For SQL that the ORM does not write well. Values are bound, never interpolated. */
  query<Row>(statement: RawBuilder<Row>): Promise<Row[]>;
}

export interface TransactionOptions {
  /** `app`, the default, cannot change or remove activities; `custodian` can. */
  readonly role?: RuntimeRole;
  /** Statements that run longer are cancelled in the database and fail with `timeout`. */
  readonly timeoutMs?: number;
  /** One snapshot for all statements, where several must agree with each other. */
  readonly snapshot?: boolean;
}

/** Owns the connection pools of the runtime roles; `close` ends them. */
export interface Database {
  transaction<T>(tenantId: string, work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Statements that belong to no tenant: the functions of the owner that authenticate and list tenants. */
  query<Row>(statement: RawBuilder<Row>): Promise<Row[]>;
  /** Connections of both pools, for metrics. */
  pools(): Promise<{ role: RuntimeRole; total: number; idle: number; waiting: number }[]>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connection URL by role. With one URL for both, each connection takes its role by SET ROLE. */
  readonly urls: { readonly app: string; readonly custodian: string };
  readonly setRole: boolean;
  /** Connections of each pool. */
  readonly poolMax?: number;
}

/** Connect as the runtime roles; the schema must have been migrated. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const app = await openOrm('app', options);
  const custodian = await openOrm('custodian', options);
  const orms = { app, custodian };
  return {
    transaction: (tenantId, work, settings = {}) =>
      runTransaction(orms[settings.role ?? 'app'], { tenantId, work, settings }),
    query: async (statement) => {
      try {
        return (await statement.execute(app.em.fork().getKysely())).rows;
      } catch (error) {
        throw toDomainError(error);
      }
    },
    pools: async () => [
      { role: 'app', ...(await poolOf(app)) },
      { role: 'custodian', ...(await poolOf(custodian)) },
    ],
    close: async () => {
      await Promise.all([app.close(), custodian.close()]);
    },
  };
}

async function openOrm(role: RuntimeRole, options: DatabaseOptions): Promise<MikroORM> {
  return MikroORM.init({
    entities,
    clientUrl: options.urls[role],
    schema: 'annals',
    pool: { min: 0, max: options.poolMax ?? 10 },
    forceUtcTimezone: true,
    // A second MikroORM in the application's process must not see our entities, nor we its.
    allowGlobalContext: false,
    driverOptions: {
      ...wholeUrl(options.urls[role]),
      application_name: `annals ${role}`,
      onPoolCreated: releaseLostConnections,
    },
    debug: false,
    ...(options.setRole && { onCreateConnection: (connection) => setRole(connection, roles[role]) }),
  });
}

interface Run<T> {
  readonly tenantId: string;
  readonly work: (tx: Tx) => Promise<T>;
  readonly settings: TransactionOptions;
}

async function runTransaction<T>(orm: MikroORM, { tenantId, work, settings }: Run<T>): Promise<T> {
  if (tenantId === undefined)
    throw new AnnalsError({ code: 'internal', message: 'a transaction needs a tenant' });
  const em = orm.em.fork();
  em.setFilterParams('tenant', { tenantId });
  if (settings.timeoutMs !== undefined) {
    em.setSessionContext({ variables: { statement_timeout: settings.timeoutMs } });
  }
  try {
    return await em.transactional(
      (inner) =>
        work({
          tenantId,
          em: inner,
          query: async (statement) => (await statement.execute(inner.getKysely())).rows,
        }),
      settings.snapshot ? { isolationLevel: 'repeatable read' } : {},
    );
  } catch (error) {
    throw toDomainError(error);
  }
}

async function poolOf(orm: MikroORM) {
  const pool = (await orm.em.getConnection().getNativeClient()) as {
    totalCount: number;
    idleCount: number;
    waitingCount: number;
  };
  return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
}

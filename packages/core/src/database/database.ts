import { AnnalsError } from '@annals/contract';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { type RawBuilder, sql } from 'kysely';
import type { Pool } from 'pg';
import { entities } from '../entities.ts';
import { cancelOnAbort } from './cancel-on-abort.ts';
import { callerLeft, timedOut, toDomainError } from './domain-error.ts';
import { trackInHand } from './in-hand.ts';
import { type TenantWrite, writeInOneTrip } from './one-trip.ts';
import { openTx } from './open-tx.ts';
import { releaseLostConnections } from './release-lost-connections.ts';
import { type RuntimeRole, roles, takeRole } from './roles.ts';
import { type Channel, createSignals, type Signals } from './signals.ts';
import { createTurns } from './turns.ts';
import { wholeUrl } from './whole-url.ts';

/** One open transaction, bound to one tenant by the ORM filter and by row-level security. */
export interface Tx {
  readonly tenantId: string;
  /** For entities: the tenant filter is on, and nothing is shared with other transactions. */
  readonly em: EntityManager;
  /** For SQL that the ORM does not write well. Values are bound, never interpolated. */
  query<Row>(statement: RawBuilder<Row>): Promise<Row[]>;
  /** As `query`, so many rows at a time, as they are asked for. */
  stream<Row>(statement: RawBuilder<Row>, rowsAtOnce: number): AsyncIterable<Row[]>;
  /** Signal this once the transaction has committed. */
  notify(channel: Channel): void;
}

export interface TransactionOptions {
  /** `app`, the default, cannot change or remove activities; `custodian` can. */
  readonly role?: RuntimeRole;
  /**
   * For what only reads. A statement that runs longer is cancelled in the database and fails with `timeout`, and
   * none is begun after that time.
   */
  readonly timeoutMs?: number;
  /** One snapshot for all statements, where several must agree with each other: for reads too. */
  readonly snapshot?: boolean;
  /**
   * For statements that an index gives in the order that they ask for: they are never sorted, and no table is read as
   * a whole, whatever the planner believes of tables that have grown since it looked at them.
   */
  readonly indexOrder?: boolean;
  /**
   * Have each statement planned once by a connection, for whatever values. For few statements that are asked again
   * and again, each of which has one good plan: and so with `indexOrder`. Each is kept by each connection.
   */
  readonly prepared?: boolean;
  /** Of the caller: when it goes away, the statement in hand is ended in the database, and none is begun. */
  readonly signal?: AbortSignal | undefined;
}

/** Owns the connection pools of the runtime roles; `close` ends them. */
export interface Database {
  transaction<T>(tenantId: string, work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Statements that belong to no tenant: the functions of the owner that authenticate and list tenants. */
  query<Row>(statement: RawBuilder<Row>): Promise<Row[]>;
  /** As the app, for some tenants: in one transaction and one trip to the server. For much, and for what is frequent. */
  write(writes: readonly TenantWrite[]): Promise<void>;
  /** Connections of both pools, for metrics. */
  pools(): Promise<{ role: RuntimeRole; total: number; idle: number; waiting: number }[]>;
  readonly signals: Signals;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connection URL by role. With one URL for both, each connection takes its role by SET ROLE. */
  readonly urls: { readonly app: string; readonly custodian: string };
  readonly setRole: boolean;
  /** Connections of each pool, 10 unless told otherwise; reads take at most three quarters of them at once. */
  readonly poolMax?: number;
}

/** Connect as the runtime roles; the schema must have been migrated. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const app = await openOrm('app', options);
  const custodian = await openOrm('custodian', options);
  const orms = { app, custodian };
  // The rest of the connections stay with what is short: authentication, and whoever writes.
  const reads = createTurns(Math.max(1, Math.floor((poolMaxOf(options) * 3) / 4)));
  const inHand = trackInHand();
  const query = <Row>(statement: RawBuilder<Row>): Promise<Row[]> =>
    inHand.run(() => runQuery(app, statement));
  const signals = createSignals({
    connectionString: options.urls.app,
    setRole: options.setRole,
    send: (channel, sender) => query(sql`select pg_notify(${channel}, ${sender})`),
  });
  return {
    transaction: (tenantId, work, settings = {}) => {
      const run = () => runTransaction(orms[settings.role ?? 'app'], { tenantId, work, settings, signals });
      return inHand.run(() =>
        isRead(settings) ? reads.run(run, settings.timeoutMs ?? readWaitMsMax) : run(),
      );
    },
    query,
    write: (writes) => inHand.run(() => write(app, writes)),
    pools: async () => [
      { role: 'app', ...(await poolOf(app)) },
      { role: 'custodian', ...(await poolOf(custodian)) },
    ],
    signals,
    close: async () => {
      await signals.close();
      // A connection that is being opened while its pool ends is never given back, and the pool never at its end.
      await inHand.end();
      await Promise.all([app.close(), custodian.close()]);
    },
  };
}

async function runQuery<Row>(orm: MikroORM, statement: RawBuilder<Row>): Promise<Row[]> {
  try {
    return (await statement.execute(forkOf(orm).getKysely())).rows;
  } catch (error) {
    throw toDomainError(error);
  }
}

function poolMaxOf({ poolMax = 10 }: DatabaseOptions): number {
  return poolMax;
}

/** How long what has no time of its own waits for its turn. */
const readWaitMsMax = 30_000;

function isRead({ timeoutMs, snapshot }: TransactionOptions): boolean {
  return timeoutMs !== undefined || snapshot === true;
}

async function openOrm(role: RuntimeRole, options: DatabaseOptions): Promise<MikroORM> {
  return MikroORM.init({
    entities,
    clientUrl: options.urls[role],
    schema: 'annals',
    pool: { min: 0, max: poolMaxOf(options) },
    forceUtcTimezone: true,
    // A second MikroORM in the application's process must not see our entities, nor we its.
    allowGlobalContext: false,
    driverOptions: {
      ...wholeUrl(options.urls[role]),
      application_name: `annals ${role}`,
      onPoolCreated: releaseLostConnections,
      ...(options.setRole && { onConnect: takeRole(roles[role]) }),
    },
    debug: false,
  });
}

/** Of this MikroORM, also within a transaction of another one, whose entity manager would be forked otherwise. */
function forkOf(orm: MikroORM): EntityManager {
  return orm.em.fork({ disableContextResolution: true });
}

interface Run<T> {
  readonly tenantId: string;
  readonly work: (tx: Tx) => Promise<T>;
  readonly settings: TransactionOptions;
  readonly signals: Signals;
}

async function runTransaction<T>(orm: MikroORM, { tenantId, work, settings, signals }: Run<T>): Promise<T> {
  if (tenantId === undefined)
    throw new AnnalsError({ code: 'internal', message: 'a transaction needs a tenant' });
  const em = forkOf(orm);
  em.setFilterParams('tenant', { tenantId });
  // Set along with the tenant, in the same statement.
  em.setSessionContext({ variables: sessionVariables(settings) });
  const { signal } = settings;
  const deadlineMs = performance.now() + (settings.timeoutMs ?? Number.POSITIVE_INFINITY);
  const mayBegin = () => {
    if (signal?.aborted) throw callerLeft(signal.reason);
    if (performance.now() > deadlineMs) throw timedOut();
  };
  const notified = new Set<Channel>();
  let result: T;
  try {
    // It can have waited for its turn.
    mayBegin();
    result = await em.transactional(
      (inner) => {
        const tx = openTx({ tenantId, em: inner, prepared: settings.prepared ?? false, mayBegin, notified });
        return signal ? cancelOnAbort(inner.getKysely(), signal, () => work(tx)) : work(tx);
      },
      settings.snapshot ? { isolationLevel: 'repeatable read' } : {},
    );
  } catch (error) {
    throw signal?.aborted ? callerLeft(error) : toDomainError(error);
  }
  // Within the transaction it would make all that commit with one wait for each other.
  for (const channel of notified) signals.notify(channel);
  return result;
}

async function write(orm: MikroORM, writes: readonly TenantWrite[]): Promise<void> {
  try {
    const client = await (await nativePool(orm)).connect();
    try {
      await writeInOneTrip(client, writes);
    } finally {
      client.release();
    }
  } catch (error) {
    throw toDomainError(error);
  }
}

function sessionVariables({ timeoutMs, indexOrder, prepared }: TransactionOptions) {
  return {
    ...(timeoutMs !== undefined && { statement_timeout: timeoutMs }),
    ...(indexOrder && { enable_sort: 'off', enable_incremental_sort: 'off', enable_seqscan: 'off' }),
    ...(prepared && { plan_cache_mode: 'force_generic_plan' }),
  };
}

async function poolOf(orm: MikroORM) {
  const pool = await nativePool(orm);
  return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
}

function nativePool(orm: MikroORM): Promise<Pool> {
  return orm.em.getConnection().getNativeClient();
}

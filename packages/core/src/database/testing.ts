import { CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { Client } from 'pg';
import type { Database, Tx } from './database.ts';
import { tripOf } from './one-trip.ts';

export interface Killing {
  readonly db: Database;
  /** Whether a transaction had so many steps. */
  readonly wasKilled: () => boolean;
}

/**
 * For tests: the database, whose server process is killed before statement `step` of each transaction, counted from
 * 0, or before the commit of one that has so many statements.
 */
export function killedAt(db: Database, { admin, step }: { admin: Client; step: number }): Killing {
  let killed = false;
  const transaction: Database['transaction'] = (tenantId, work, options) =>
    db.transaction(
      tenantId,
      async (tx) => {
        const [backend] = await tx.query(sql<{ pid: number }>`select pg_backend_pid() as pid`);
        let at = 0;
        const killInTime = async () => {
          if (at++ !== step) return;
          killed = true;
          await admin.query('select pg_terminate_backend($1, 5000)', [backend?.pid]);
        };
        const result = await work({
          ...tx,
          query: async (statement) => {
            await killInTime();
            return tx.query(statement);
          },
        });
        await killInTime();
        return result;
      },
      options,
    );
  return { db: { ...db, transaction, write: writeInSteps(transaction) }, wasKilled: () => killed };
}

/** For tests: what befalls a process in the middle of its work. */
export interface Disturbance {
  /** Before which of its statements and commits, counted from 0 over all of its transactions. */
  readonly at: number;
  /** `kill` ends the server process behind the connection; `leave` ends the work besides, as a killed process would. */
  readonly kind: 'kill' | 'leave';
}

export interface Disturbed {
  readonly db: Database;
  /** Comes with `leave`. */
  readonly signal: AbortSignal;
  readonly happened: () => boolean;
}

/** For tests: a database to which that happens once. */
export function disturb(db: Database, admin: Client, disturbance: Disturbance | undefined): Disturbed {
  const leaving = new AbortController();
  let step = 0;
  let happened = false;
  const pass = async (tx: Tx) => {
    if (step++ !== disturbance?.at) return;
    happened = true;
    if (disturbance.kind === 'leave') leaving.abort();
    const [backend] = await tx.query(sql<{ pid: number }>`select pg_backend_pid() as pid`);
    await admin.query('select pg_terminate_backend($1, 5000)', [backend?.pid]);
  };
  const transaction: Database['transaction'] = (tenantId, work, options) =>
    db.transaction(
      tenantId,
      async (tx) => {
        const query: Tx['query'] = async (statement) => {
          await pass(tx);
          return tx.query(statement);
        };
        const result = await work({ ...tx, query });
        await pass(tx);
        return result;
      },
      options,
    );
  const write = writeInSteps(transaction);
  return { db: { ...db, transaction, write }, signal: leaving.signal, happened: () => happened };
}

/** For tests: a database whose transactions wait before they commit until they may, or may not. */
export function holdCommits(db: Database) {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  // Whoever does not come so far meets no end either.
  released.promise.catch(() => undefined);
  const transaction: Database['transaction'] = (tenantId, work, options) =>
    db.transaction(
      tenantId,
      async (tx) => {
        const result = await work(tx);
        reached.resolve();
        await released.promise;
        return result;
      },
      options,
    );
  return {
    db: { ...db, transaction, write: writeInSteps(transaction) },
    reached: reached.promise,
    commit: () => released.resolve(),
    rollBack: () => released.reject(new Error('rolled back')),
  };
}

/** What `write` does, in a transaction of several steps for each tenant: so that something can befall it in between. */
function writeInSteps(transaction: Database['transaction']): Database['write'] {
  return async (writes) => {
    for (const { tenantId, steps } of writes) {
      await transaction(tenantId, async (tx) => {
        for (const { text, rows } of steps) await tx.query(rows ? copyStatement(text, rows) : sql.raw(text));
      });
    }
  };
}

/** The driver takes a query of its own kind in place of a text, gives it back as it is, and that is awaited. */
function copyStatement(text: string, rows: Buffer): RawBuilder<unknown> {
  const compile = () => {
    const { query, done } = tripOf([{ text, rows }]);
    const result = done.then(() => ({ command: 'COPY', rows: [] }));
    // oxlint-disable-next-line unicorn/no-thenable -- so that the query builder awaits its end
    const awaited = Object.assign(query, { then: result.then.bind(result) });
    return { ...CompiledQuery.raw(''), sql: awaited };
  };
  return { compile } as unknown as RawBuilder<unknown>;
}

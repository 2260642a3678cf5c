import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { toDomainError } from '../database/domain-error.ts';
import { isAborted } from '../job/is-aborted.ts';

export interface Turn {
  /** Comes when the turn is over. */
  readonly lost: AbortSignal;
  /** Ask the database whether the turn goes on; throws where it does not answer any more. */
  readonly check: () => Promise<void>;
}

export interface SignerTurn {
  /** Of any login that may connect: it holds the lock, and nothing else is done over it. */
  readonly connectionString: string;
  readonly signal: AbortSignal;
  readonly work: (turn: Turn) => Promise<void>;
}

const retryMs = 1_000;

/**
 * Wait until no other process signs on this database, then work; the turn ends with the work, with the connection,
 * or when `signal` comes. Whoever dies gives way at once, since the database sees the connection end.
 *
 * Errors  `unavailable`, and those of the work.
 */
export async function takeSignerTurn({ connectionString, signal, work }: SignerTurn): Promise<void> {
  const client = new Client({
    connectionString,
    application_name: 'annals signer',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  const lost = new AbortController();
  client.on('error', () => lost.abort());
  client.once('end', () => lost.abort());
  try {
    await client.connect();
    while (!isAborted(signal) && !(await tryLock(client))) {
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
    if (isAborted(signal)) return;
    await work({
      lost: AbortSignal.any([signal, lost.signal]),
      check: async () => {
        await client.query('select 1').catch(throwDomainError);
      },
    });
  } catch (error) {
    throw toDomainError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function tryLock(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    `select pg_try_advisory_lock(hashtext('annals.signer')) as locked`,
  );
  return rows[0]?.locked === true;
}

function throwDomainError(error: unknown): never {
  throw toDomainError(error);
}

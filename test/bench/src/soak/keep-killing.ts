import { setTimeout as delay } from 'node:timers/promises';
import type { LiveServer } from './live-server.ts';
import { countFailure, type Failures } from './server-of.ts';
import { withClient } from './with-client.ts';

export interface Killing {
  readonly server: LiveServer;
  readonly databaseUrl: string;
  /** Whether the server of the database runs on this machine and is the benchmark's own: its processes may go. */
  readonly owned: boolean;
  /** The mean time from one to the next; each is up to a quarter shorter or longer. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

type Kill = (killing: Killing) => Promise<void>;

const kinds: Readonly<Record<string, Kill>> = {
  'SIGKILL of the server': ({ server }) => server.kill(),
  'SIGKILL of one of its forks': ({ server }) => server.killFork(),
  'a backend terminated': async ({ databaseUrl }) =>
    withClient(databaseUrl, async (client) => {
      await client.query(`select pg_terminate_backend(pid) from (${oneBackend}) as one`);
    }),
  // PostgreSQL then ends all others too, and recovers from its WAL.
  'SIGKILL of a backend': async ({ databaseUrl }) =>
    withClient(databaseUrl, async (client) => {
      const { rows } = await client.query<{ pid: number }>(oneBackend);
      if (rows[0]) process.kill(rows[0].pid, 'SIGKILL');
    }),
};

const oneBackend = `select pid from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
  order by random() limit 1`;

/** Kill something now and then, each kind as often as the others, until the signal; returns how often each was. */
export async function keepKilling(killing: Killing): Promise<Failures> {
  const killed: Failures = {};
  const names = Object.keys(kinds).filter((name) => killing.owned || name !== 'SIGKILL of a backend');
  let order: string[] = [];
  for (;;) {
    const pauseMs = killing.everyMs * (0.75 + Math.random() / 2);
    await delay(pauseMs, undefined, { signal: killing.signal }).catch(() => undefined);
    if (killing.signal.aborted) return killed;
    if (order.length === 0) order = names.toSorted(() => Math.random() - 0.5);
    const name = order.pop() as string;
    try {
      await kinds[name]?.(killing);
      countFailure(killed, name);
    } catch {
      countFailure(killed, `${name}, which was gone already`);
    }
  }
}

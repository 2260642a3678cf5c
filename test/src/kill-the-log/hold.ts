import { Client } from 'pg';

/** A lock that is held from outside until `letGo`. */
export interface Hold {
  /** Wait until a statement that contains this waits for the lock. */
  whenReached(statement: string): Promise<void>;
  letGo(): Promise<void>;
}

const held = new Set<Hold>();

/** Let go of what a test that failed has left. */
export async function letGoOfAll(): Promise<void> {
  for (const each of held) await each.letGo();
}

/** Take a lock as the superuser, in a transaction of its own. */
export async function hold(url: string, statement: string, values: unknown[] = []): Promise<Hold> {
  const holder = await connect(url);
  const watcher = await connect(url);
  await holder.query('begin');
  await holder.query(statement, values);
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid;
  const taken: Hold = {
    whenReached: (text) =>
      until(`${text} waits`, async () => {
        const { rowCount } = await watcher.query(
          `select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)) and position($2 in query) > 0`,
          [pid, text],
        );
        return Boolean(rowCount);
      }),
    letGo: async () => {
      if (held.delete(taken)) await Promise.all([holder.end(), watcher.end()]);
    },
  };
  held.add(taken);
  return taken;
}

const deadlineMs = 60_000;

/** Look again and again until a condition holds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  return client;
}

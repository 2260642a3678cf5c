/** For the tests of this folder: data directories, queries, and Annals-like processes that can be killed. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { processMarker } from './process-table.ts';

export const isRoot = process.getuid?.() === 0;

/** A directory that is removed at the end of the test, reachable for every user. */
export async function temporaryDirectory(onFinished: (clean: () => Promise<void>) => void): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'annals-start-'));
  spawnSync('chmod', ['755', directory]);
  onFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

export async function query(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** Resolves when a process is gone; the test's own time limit is the only one. */
export async function untilGone(pid: number): Promise<void> {
  while (processMarker(pid) !== undefined) await delay(10);
}

export interface Holder {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  /** The next line it prints. */
  line(): Promise<string>;
}

const startModule = JSON.stringify(new URL('./start-embedded-postgres.ts', import.meta.url).href);
const pinoModule = JSON.stringify(import.meta.resolve('pino'));

/**
 * A process of its own that starts the embedded PostgreSQL of a data directory, prints `{pid, url}` or the
 * error's message, and then does what `afterwards` says (with `server` in scope).
 */
export function startHolder(dataDir: string, options: { afterwards?: string; uid?: number } = {}): Holder {
  const script = `
    import { pino } from ${pinoModule};
    import { startEmbeddedPostgres } from ${startModule};
    const log = pino({ level: 'silent' });
    try {
      const server = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log });
      console.log(JSON.stringify({ pid: server.pid, url: server.url }));
      ${options.afterwards ?? 'setInterval(() => {}, 1000);'}
    } catch (error) {
      console.log(error.name + ': ' + error.message);
    }`;
  const ids = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
  const child = spawn(
    process.execPath,
    ['--conditions=@annals/source', '--input-type=module', '-e', script],
    {
      ...ids,
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value) };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchServer, openServer } from '../open-server.ts';
import { processTree } from './process-tree.ts';
import { countFailure, type Failures } from './server-of.ts';

/** A server that is there again, at its address and with its directory, whenever it has ended. */
export interface LiveServer {
  readonly url: string;
  /** Of the process as it is now and of those it started, in bytes; undefined while there is none. */
  memory(): Promise<number | undefined>;
  /** SIGKILL; it is started again at once. */
  kill(): Promise<void>;
  /** SIGKILL to one of the processes that it has started, which it starts again. */
  killFork(): Promise<void>;
  close(): Promise<void>;
  /** What it logged as an error, by message; and how often it ended without being killed. */
  readonly errors: Failures;
}

export async function openLiveServer(databaseUrl: string): Promise<LiveServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'annals-bench-soak-'));
  const errors: Failures = {};
  const onLog = (line: string) => {
    const text = errorIn(line);
    if (text !== undefined) countFailure(errors, text);
  };
  const open = (port: number) =>
    openServer(databaseUrl, { port, dataDir, onLog, env: { ANNALS_MANIFEST_HOURS: '0' } });
  let server: BenchServer = await open(0);
  const { url } = server;
  const port = Number(new URL(url).port);
  let expected = false;
  let restarting: Promise<void> = Promise.resolve();
  const watch = () => {
    void server.ended.then(() => {
      if (expected) return;
      countFailure(errors, 'the process ended by itself');
      restarting = start();
    });
  };
  const start = async (): Promise<void> => {
    try {
      server = await open(port);
    } catch {
      // It does not wait for a database that is recovering; whoever runs it starts it again.
      await delay(500);
      return start();
    }
    expected = false;
    watch();
  };
  watch();
  return {
    url,
    errors,
    memory: async () => {
      const tree = await processTree(server.pid);
      return tree.length === 0 ? undefined : tree.reduce((sum, { resident }) => sum + resident, 0);
    },
    killFork: async () => {
      const forks = (await processTree(server.pid)).slice(1);
      const fork = forks[Math.floor(Math.random() * forks.length)];
      if (fork) process.kill(fork.pid, 'SIGKILL');
    },
    kill: async () => {
      await restarting;
      expected = true;
      await server.kill();
      restarting = start();
      await restarting;
    },
    close: async () => {
      await restarting;
      expected = true;
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The message of a line at the level of errors; of one that is no log, the line. */
function errorIn(line: string): string | undefined {
  try {
    const { level, msg, procedure, code } = JSON.parse(line) as Record<string, string | undefined>;
    if (level !== 'error' && level !== 'fatal') return undefined;
    return [msg, procedure, code].filter(Boolean).join(' ');
  } catch {
    return line.slice(0, 200);
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  /** Of the process, in bytes. */
  memory(): Promise<number>;
  close(): Promise<void>;
  /** SIGKILL, as the kernel does to a process that takes too much. */
  kill(): Promise<void>;
  /** Settles when the process has ended, however it did. */
  readonly ended: Promise<unknown>;
}

export interface ServerOptions {
  /** Any free one unless told otherwise. */
  readonly port?: number;
  /** The caller's, and left alone; unless told otherwise one of the server's own, which goes with it. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Is told each line of the server's log. */
  readonly onLog?: (line: string) => void;
}

/** The real server as a process of its own, on the benchmark's database. */
export async function openServer(databaseUrl: string, options: ServerOptions = {}): Promise<BenchServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'annals-bench-server-')));
  const main = resolve(import.meta.dirname, '../../../services/api/src/main.ts');
  const child = spawn(process.execPath, ['--conditions=@annals/source', main], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      ANNALS_PORT: String(options.port ?? 0),
      ANNALS_DATA_DIR: dataDir,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  // Whatever ends the benchmark, nothing of it stays behind.
  const take = () => void child.kill('SIGKILL');
  process.once('exit', take);
  void ended.then(() => process.off('exit', take));
  // Read in any case: a pipe that nobody reads stops who writes into it.
  createInterface(child.stderr).on('line', (line) => options.onLog?.(line));
  const url = await addressOf(child);
  return {
    url,
    pid: child.pid ?? 0,
    memory: () => memoryOf(url),
    close: async () => {
      child.kill('SIGINT');
      await ended;
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    ended,
  };
}

async function addressOf(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise((found, failed) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const [, url] = /Annals listens on (http\S+)\s/.exec(output) ?? [];
      if (url) found(url);
    });
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}: ${output}`)));
  });
}

async function memoryOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

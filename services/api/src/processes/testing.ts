import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The real server on a database of a test. */
export interface ServerProcess {
  readonly url: string;
  /** Of the first process. */
  readonly pid: number;
  /** The processes that serve now, by what the log says of them. */
  serving(): number[];
  readonly exited: Promise<number | null>;
  exitCode(): number | null | undefined;
  /** SIGKILL to the first process, unless it has ended. */
  kill(): Promise<void>;
}

/** Errors  what the process has written, when it ends before it serves. */
export async function startServerProcess(
  databaseUrl: string,
  env: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'annals-processes-'));
  const main = resolve(import.meta.dirname, '../main.ts');
  const child = spawn(process.execPath, ['--conditions=@annals/source', main], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      ANNALS_PORT: '0',
      ANNALS_DATA_DIR: dataDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const url = new Promise<string>((found) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [, address] = /Annals listens on (http\S+)\s/.exec(output) ?? [];
        if (address) found(address);
      });
    }
  });
  const exited = once(child, 'exit').then(async ([code]) => {
    await rm(dataDir, { recursive: true, force: true });
    return code as number | null;
  });
  const failed = exited.then((code) => Promise.reject(new Error(`ended with ${code}: ${output}`)));
  // It ends in the end.
  failed.catch(() => undefined);
  return {
    url: await Promise.race([url, failed]),
    pid: child.pid as number,
    serving: () => servingIn(output),
    exited,
    exitCode: () => child.exitCode ?? (child.signalCode === null ? undefined : null),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A process that cannot be seen any more is named as ended. */
function servingIn(output: string): number[] {
  const pids = new Set<number>();
  for (const line of output.split('\n')) {
    const [, pid, message] =
      /"pid":(\d+).*"msg":"(a process serves|a process that serves has ended)/.exec(line) ?? [];
    if (message === 'a process serves') pids.add(Number(pid));
    else pids.delete(Number(pid));
  }
  return [...pids];
}

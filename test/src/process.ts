import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';

const root = resolve(import.meta.dirname, '../..');

/** The real process with its embedded PostgreSQL, in a data directory of its own. */
export interface AnnalsProcess {
  readonly url: string;
  readonly apiKey: string;
  readonly tenantId: string;
  readonly dataDir: string;
  /** What the process has written to stderr so far: its log. */
  log(): string;
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL to the process alone; its PostgreSQL is left as a crash would leave it. */
  kill(): Promise<void>;
}

/** A data directory that the server's account may enter, also when the tests run as root. */
export async function makeDataDir(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'annals-e2e-')), 'data');
}

export async function removeDataDir(dataDir: string): Promise<void> {
  await rm(resolve(dataDir, '..'), { recursive: true, force: true });
}

/** What `dev.json` holds where the database is the embedded one. */
interface Access {
  readonly apiKey: string;
  readonly tenantId: string;
}

/** Start Annals and wait until it says where it listens. On a database that `env` names, `access` is the caller's. */
export async function startAnnalsProcess(options: {
  readonly dataDir: string;
  readonly env?: Record<string, string>;
  readonly access?: Access;
}): Promise<AnnalsProcess> {
  const child = spawn(
    process.execPath,
    ['--conditions=@annals/source', join(root, 'services/api/src/main.ts')],
    {
      cwd: root,
      env: {
        ...environment(),
        ANNALS_PORT: '0',
        ANNALS_DEMO: '0',
        ANNALS_DATA_DIR: options.dataDir,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const url = await saysWhereItListens(child, () => log);
  const access = options.access ?? (await readAccess(options.dataDir));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  return {
    ...access,
    url,
    dataDir: options.dataDir,
    log: () => log,
    stop: async () => {
      child.kill('SIGINT');
      return (await exited)[0];
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function readAccess(dataDir: string): Promise<Access> {
  const { apiKey, tenantId } = JSON.parse(await readFile(join(dataDir, 'dev.json'), 'utf8')) as Access;
  return { apiKey, tenantId };
}

async function saysWhereItListens(child: ChildProcess, log: () => string): Promise<string> {
  let output = '';
  return new Promise<string>((ready, failed) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const [, url] = /Annals listens on (http\S+)\s/.exec(output) ?? [];
      if (url) ready(url);
    });
    child.once('exit', (code) => failed(new Error(`Annals ended with ${code}:\n${output}\n${log()}`)));
  });
}

/** The superuser of a process's embedded database, as an operator of the machine can be. */
export async function openSuperuser(dataDir: string): Promise<Client> {
  const secrets = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as {
    superuserPassword: string;
  };
  const port = Number((await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[3]);
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: secrets.superuserPassword,
    database: 'annals',
  });
  // The tests end its server under it.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run a maintenance command as an operator would, against a running Annals. */
export async function runCommand(
  args: readonly string[],
  options: {
    readonly annals?: AnnalsProcess;
    readonly env?: Record<string, string>;
    readonly input?: string;
  } = {},
): Promise<CommandResult> {
  const { annals } = options;
  const child = spawn(
    process.execPath,
    ['--conditions=@annals/source', join(root, 'scripts/src/main.ts'), ...args],
    {
      cwd: root,
      env: {
        ...environment(),
        ...(annals && { ANNALS_URL: annals.url, ANNALS_API_KEY: annals.apiKey }),
        ...options.env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  child.stdin.end(options.input ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Ours without the settings of whoever runs the tests, which must not leak into them. */
function environment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(ANNALS_|DATABASE_URL$|NODE_OPTIONS$|VITEST)/.test(name),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), NO_COLOR: '1' };
}

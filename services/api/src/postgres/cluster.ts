import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binaryVersion, type PostgresBinaries } from './binaries.ts';
import { explain } from './data-directory.ts';
import { generatePassword, readSecrets, writeSecrets } from './secrets.ts';
import { type Command, commandAs, type ServerAccount } from './server-account.ts';
import { serverEnvironment } from './server-environment.ts';
import { hasCode, StartError } from './start-error.ts';

export interface ClusterOptions {
  readonly dataDir: string;
  readonly binaries: PostgresBinaries;
  readonly account: ServerAccount;
}

/** The database of every embedded cluster that holds the records. */
export const embeddedDatabase = 'annals';

const initPrefix = 'postgres.init-';

/**
 * Make sure that a complete cluster of our version lies in `<dataDir>/postgres`.
 *
 * Returns the superuser's password. The caller holds the process lock.
 * Errors: StartError for a cluster of another major version, for something else in its place, and with
 * the reason when initdb fails.
 */
export async function ensureCluster(
  options: ClusterOptions,
): Promise<{ password: string; created: boolean }> {
  const { dataDir, binaries } = options;
  const clusterDir = join(dataDir, 'postgres');
  await removeHalfFinished(dataDir);
  const recorded = (await readSecrets(dataDir))['superuserPassword'];
  const created = (await clusterMajor(clusterDir)) === undefined;
  if (!created) await assertSameMajor(clusterDir, binaries);
  if (!created && recorded) return { password: recorded, created };
  const password = recorded ?? generatePassword();
  // Recorded first: a cluster whose password nobody knows would be of no use.
  await writeSecrets(dataDir, { superuserPassword: password });
  if (created) await createCluster(options, password);
  // The secrets were lost. Whoever owns the files may set a new password.
  else await runSingleUser(options, clusterDir, `alter role postgres password '${password}'`);
  return { password, created };
}

/** Refuse a cluster that our binaries cannot read, before anything touches it. */
async function assertSameMajor(clusterDir: string, binaries: PostgresBinaries): Promise<void> {
  const found = await clusterMajor(clusterDir);
  const version = binaryVersion(binaries);
  const ours = version.split('.')[0];
  if (found === ours) return;
  throw new StartError(
    `The cluster ${clusterDir} was made by PostgreSQL ${found}, but Annals brings PostgreSQL ${version}; move the data with pg_dump of version ${found}, or set ANNALS_DATA_DIR to another directory.`,
  );
}

async function clusterMajor(clusterDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(clusterDir, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  // An empty directory may be a volume mounted in advance, or made for its owner's sake.
  const entries = await readdir(clusterDir).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    if (hasCode(error, 'ENOTDIR')) return ['a file'];
    throw error;
  });
  if (entries.length === 0) return undefined;
  throw new StartError(
    `${clusterDir} exists but is not a PostgreSQL cluster; move it away or set ANNALS_DATA_DIR to another directory.`,
  );
}

/**
 * Initialise in a directory of another name and rename it when all is done and on disk: an interrupted
 * first start leaves nothing that looks like a cluster.
 */
async function createCluster(options: ClusterOptions, password: string): Promise<void> {
  const { dataDir, binaries, account } = options;
  const clusterDir = join(dataDir, 'postgres');
  const temporary = join(dataDir, `${initPrefix}${randomBytes(4).toString('hex')}`);
  const passwordFile = `${temporary}.password`;
  try {
    await mkdir(temporary, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account.ids) {
      await chown(temporary, account.ids.uid, account.ids.gid);
      await chown(passwordFile, account.ids.uid, account.ids.gid);
    }
    const args = ['--pgdata', temporary, '--username', 'postgres', '--pwfile', passwordFile];
    args.push('--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C');
    args.push('--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8');
    await run(options, commandAs(account, binaries.initdb, args));
    await runSingleUser(options, temporary, `create database ${embeddedDatabase}`);
    await rmdir(clusterDir).catch(() => undefined);
    await rename(temporary, clusterDir);
    await syncDirectory(dataDir);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(temporary, { recursive: true, force: true });
  }
}

// What an interrupted first start left. Its initdb may still be dying: then the next start tidies up.
async function removeHalfFinished(dataDir: string): Promise<void> {
  for (const entry of await readdir(dataDir)) {
    if (!entry.startsWith(initPrefix)) continue;
    await rm(join(dataDir, entry), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Run one statement in the cluster without a server, network or password. */
async function runSingleUser(options: ClusterOptions, clusterDir: string, statement: string): Promise<void> {
  const args = ['--single', '-D', clusterDir, '-c', 'exit_on_error=true', 'postgres'];
  await run(options, commandAs(options.account, options.binaries.postgres, args), `${statement}\n`);
}

async function run({ dataDir }: ClusterOptions, { file, args, options }: Command, input = ''): Promise<void> {
  const env = serverEnvironment();
  const child = spawn(file, args, { ...options, cwd: '/', env, stdio: ['pipe', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  // A program that failed early does not read its input; its exit code tells.
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw failure(output, dataDir);
}

function failure(output: string, dataDir: string): unknown {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  if (lines.some((line) => line.includes('No space left on device'))) {
    return explain(Object.assign(new Error(output), { code: 'ENOSPC' }), dataDir);
  }
  const reason =
    lines.findLast((line) => /error:|FATAL:|ERROR:|PANIC:/.test(line)) ?? lines.at(-1) ?? 'no reason given';
  return new StartError(`The embedded PostgreSQL could not be set up in ${dataDir}: ${reason.trim()}.`);
}

// A rename is durable once its directory is.
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

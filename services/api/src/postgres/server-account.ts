import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { platform, userInfo } from 'node:os';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

/** As whom the server runs. PostgreSQL refuses to run as root, so root has to lend it another account. */
export interface ServerAccount {
  /** Absent: as this process. */
  readonly ids?: { readonly uid: number; readonly gid: number };
  /** Linux capability without which the account could not pass through a directory above the data. */
  readonly capability?: 'dac_read_search' | 'dac_override';
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: { readonly uid?: number; readonly gid?: number };
}

/**
 * Decide as whom the server runs.
 *
 * Root uses the owner of an existing cluster, else the system account `postgres`, which it creates if need
 * be; anybody else runs the server as themselves and must own the cluster.
 * Errors: StartError for a cluster of another user, and where no account can be had.
 */
export async function chooseServerAccount(clusterDir: string): Promise<ServerAccount> {
  if (!process.getuid) return {};
  const ownUid = process.getuid();
  const owner = await stat(clusterDir).catch(() => undefined);
  if (ownUid === 0) {
    // An empty directory made in advance is no cluster yet, and will be replaced.
    if (!owner || !existsSync(join(clusterDir, 'PG_VERSION'))) return { ids: postgresAccount() };
    if (owner.uid === 0) {
      throw new StartError(
        `The cluster ${clusterDir} belongs to root, as whom PostgreSQL refuses to run; hand it over with "chown -R postgres ${clusterDir}".`,
      );
    }
    return { ids: { uid: owner.uid, gid: owner.gid } };
  }
  assertHasAccount(ownUid);
  if (owner && owner.uid !== ownUid) {
    throw new StartError(
      `The cluster ${clusterDir} belongs to user id ${owner.uid}, but Annals runs as user id ${ownUid}; start Annals as its owner or set ANNALS_DATA_DIR to another directory.`,
    );
  }
  return {};
}

/**
 * Let the account reach a directory that lies below one closed to it, such as a clone below /root.
 *
 * The server gets the one capability to pass through, on Linux with `setpriv`; nothing is opened to others.
 * Errors: StartError with what to change where that is not possible.
 */
export function withAccessTo(account: ServerAccount, directory: string): ServerAccount {
  if (canEnter(account, directory)) return account;
  for (const capability of ['dac_read_search', 'dac_override'] as const) {
    const extended = { ...account, capability };
    if (platform() === 'linux' && mayLend(capability) && canEnter(extended, directory)) return extended;
  }
  throw new StartError(
    `The account that runs PostgreSQL for root (user id ${account.ids?.uid}) cannot enter ${directory}; open the directories above it with "chmod o+x", set ANNALS_DATA_DIR to another directory, or start Annals as an ordinary user.`,
  );
}

/** How to run a program as the account. */
export function commandAs(account: ServerAccount, file: string, args: readonly string[]): Command {
  if (!account.ids) return { file, args, options: {} };
  if (!account.capability) return { file, args, options: account.ids };
  const { ids, capability } = account;
  const drop = [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups'];
  // An ambient capability survives the change of user; it has to be inheritable first.
  const keep = [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`];
  return { file: 'setpriv', args: [...drop, ...keep, '--', file, ...args], options: {} };
}

function canEnter(account: ServerAccount, directory: string): boolean {
  if (!account.ids) return true;
  const { file, args, options } = commandAs(account, 'sh', ['-c', 'cd -- "$1"', 'sh', directory]);
  return spawnSync(file, args, { ...options, cwd: '/', stdio: 'ignore' }).status === 0;
}

// capability(7): numbers of the bits in the bounding set, which a container may have reduced.
function mayLend(capability: 'dac_read_search' | 'dac_override'): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const bit = { dac_override: 1n, dac_read_search: 2n }[capability];
  return ((BigInt(`0x${bounding}`) >> bit) & 1n) === 1n;
}

function postgresAccount(): { uid: number; gid: number } {
  const found = accountIds();
  if (found) return found;
  try {
    const args = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'];
    execFileSync('useradd', args, { stdio: 'pipe' });
  } catch {
    // The lookup below decides, and its sentence says what to do.
  }
  const created = accountIds();
  if (created) return created;
  throw new StartError(
    'PostgreSQL refuses to run as root and the account "postgres" could not be created; create it with "useradd --system postgres", or start Annals as an ordinary user.',
  );
}

function accountIds(): { uid: number; gid: number } | undefined {
  try {
    return { uid: idOfPostgres('-u'), gid: idOfPostgres('-g') };
  } catch {
    return undefined;
  }
}

function idOfPostgres(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }));
}

// Containers are often run with a bare number; initdb insists on a name.
function assertHasAccount(uid: number): void {
  try {
    userInfo();
  } catch (error) {
    throw new StartError(
      `Annals runs as user id ${uid}, which has no account on this system, and PostgreSQL needs one; start Annals as a user with a name or set DATABASE_URL.`,
      { cause: error },
    );
  }
}

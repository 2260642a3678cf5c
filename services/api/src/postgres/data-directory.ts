import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, realpath, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode, StartError } from './start-error.ts';

// A new cluster takes 40 MB and its log 16 MB at a time; a running one needs room for the next 16 MB.
const roomBytes = { newCluster: 128 * 2 ** 20, existingCluster: 32 * 2 ** 20 };

/**
 * Make the data directory if need be and prove that it can be written, before anything else happens.
 *
 * Returns its real, absolute path.
 * Errors: StartError with one sentence each for a file in its place, missing permission, a read-only or full disk.
 */
export async function prepareDataDirectory(dataDir: string): Promise<string> {
  try {
    // Root lends the server another account, which has to pass through.
    if ((await makeDirectory(dataDir)) && process.getuid?.() === 0) await chmod(dataDir, 0o711);
    if (!(await stat(dataDir)).isDirectory()) throw notADirectory(dataDir);
    const directory = await realpath(dataDir);
    await assertRoom(directory);
    await tryWriting(directory);
    return directory;
  } catch (error) {
    throw explain(error, dataDir);
  }
}

/** Make a directory and those above it; false if it is there. (Node's own way hides the reason of a failure.) */
async function makeDirectory(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (!hasCode(error, 'ENOENT') || dirname(directory) === directory) throw error;
    await makeDirectory(dirname(directory));
    await mkdir(directory, { mode: 0o700 });
  }
  return true;
}

/** Tell an error of the file system about the data directory in one sentence; others pass unchanged. */
export function explain(error: unknown, dataDir: string): unknown {
  const remedy = 'or set ANNALS_DATA_DIR to another directory';
  const sentence = (text: string) => new StartError(text, { cause: error });
  if (error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn')) {
    return sentence(`The embedded PostgreSQL could not be run: ${error.message}.`);
  }
  if (hasCode(error, 'ENOTDIR', 'ENOENT', 'EEXIST')) return notADirectory(dataDir, error);
  if (hasCode(error, 'EACCES', 'EPERM')) {
    const who = process.getuid ? `user id ${process.getuid()}` : 'this user';
    return sentence(
      `The data directory ${dataDir} cannot be written by ${who}; give it the permission ${remedy}.`,
    );
  }
  if (hasCode(error, 'EROFS')) {
    return sentence(
      `The data directory ${dataDir} is on a read-only file system; remount it writable ${remedy}.`,
    );
  }
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
    return sentence(`The disk that holds the data directory ${dataDir} is full; free some space ${remedy}.`);
  }
  return error;
}

const notADirectory = (dataDir: string, cause?: unknown) =>
  new StartError(
    `The data directory ${dataDir} is a file, lies below one, or is a link to nothing; set ANNALS_DATA_DIR to a directory.`,
    cause === undefined ? undefined : { cause },
  );

async function assertRoom(directory: string): Promise<void> {
  const existing = await stat(join(directory, 'postgres')).catch(() => undefined);
  const neededBytes = existing ? roomBytes.existingCluster : roomBytes.newCluster;
  const { bavail, bsize, blocks } = await statfs(directory);
  // Some network and overlay file systems report no size at all.
  if (blocks === 0 || bavail * bsize >= neededBytes) return;
  throw new StartError(
    `The disk that holds the data directory ${directory} is full: ${inMb(bavail * bsize)} are free and ${inMb(neededBytes)} are needed; free some space or set ANNALS_DATA_DIR to another directory.`,
  );
}

const inMb = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MB`;

async function tryWriting(directory: string): Promise<void> {
  const file = join(directory, `.write-test-${randomBytes(4).toString('hex')}`);
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.write(Buffer.alloc(8192, 1));
    await handle.sync();
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}

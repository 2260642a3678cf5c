import { randomBytes } from 'node:crypto';
import { chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode, StartError } from './start-error.ts';

const secretsSchema = z.record(z.string(), z.string());

/** Generated secrets of a data directory by name; kept in `secrets.json`, mode 0600. */
export type Secrets = Readonly<Record<string, string>>;

/**
 * Read the secrets of a data directory; none when there is no file yet.
 *
 * Errors: StartError when the file cannot be understood. It is never replaced then: it may hold what
 * cannot be made again.
 */
export async function readSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw new StartError(`${file} cannot be read; restore its permissions or run Annals as its owner.`, {
      cause: error,
    });
  });
  if (text === undefined) return {};
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch (error) {
    const remedy = 'restore it from a backup, or remove it to have new secrets generated';
    throw new StartError(`${file} is not a JSON object of texts; ${remedy}.`, { cause: error });
  }
}

/**
 * Add or replace secrets. The file changes in one step and is on disk when this returns.
 *
 * The caller holds the data directory's process lock: there is no other writer.
 */
export async function writeSecrets(dataDir: string, changes: Secrets): Promise<Secrets> {
  const secrets = { ...(await readSecrets(dataDir)), ...changes };
  const file = join(dataDir, 'secrets.json');
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(secrets, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Root may be working on somebody's directory, who wants to start Annals again afterwards.
    const owner = await stat(dataDir);
    if (process.getuid?.() === 0) await chown(temporary, owner.uid, owner.gid);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  return secrets;
}

/** A password of 32 hexadecimal digits, safe in a URL and in SQL. */
export function generatePassword(): string {
  return randomBytes(16).toString('hex');
}

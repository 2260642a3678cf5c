import { randomBytes } from 'node:crypto';
import { AnnalsError } from '@annals/contract';
import type { Services } from '../context.ts';
import { createLogKey } from './change-keys.ts';
import { isForeign } from './is-foreign.ts';
import { readSignerKeys } from './key-directory.ts';
import type { SignerKeys } from './note-signer.ts';

export interface EnsureLogKey {
  readonly dir: string;
  /** What the operator wants the logs to be called; a key of another name is then refused. */
  readonly logName?: string | undefined;
  /** What a new key is named by where the operator says nothing, as the server's public host. */
  readonly host?: string | undefined;
}

/**
 * The keys of a signer's directory; where there are none, and nothing in the database was ever signed, the first
 * one is made.
 *
 * Returns undefined where the database was signed with keys that are elsewhere.
 * Errors  `invalid_input` for files that cannot be used, and for a log name that differs from that of the keys.
 */
export async function ensureLogKey(
  services: Pick<Services, 'db'>,
  { dir, logName, host }: EnsureLogKey,
): Promise<SignerKeys | undefined> {
  const keys = (await readSignerKeys(dir)) ?? (await createFirst(services, { dir, logName, host }));
  if (keys && logName !== undefined && keys.logName !== logName) {
    throw new AnnalsError({
      code: 'invalid_input',
      message: `the keys in ${dir} are for the log name ${keys.logName}, not ${logName}; a log keeps its name`,
    });
  }
  return keys;
}

async function createFirst(
  services: Pick<Services, 'db'>,
  { dir, logName, host }: EnsureLogKey,
): Promise<SignerKeys | undefined> {
  if (await isForeign(services, { active: [], retired: [] })) return undefined;
  try {
    await createLogKey({ dir, logName: logName ?? host ?? `localhost-${randomBytes(4).toString('hex')}` });
  } catch (error) {
    // Another process of the same directory may have been first.
    const keys = await readSignerKeys(dir);
    if (!keys) throw error;
    return keys;
  }
  return readSignerKeys(dir);
}

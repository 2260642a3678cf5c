import type { Services } from '../context.ts';
import { type EnsureLogKey, ensureLogKey } from './ensure-log-key.ts';
import { readSignerKeys } from './key-directory.ts';
import { type Signer, type SignerOptions, startSigner } from './start-signer.ts';
import { openStateDirectory } from './state-directory.ts';

export interface DirectorySignerOptions
  extends EnsureLogKey,
    Pick<SignerOptions, 'connectionString' | 'witnesses'> {}

/**
 * A signer whose keys and state are files of one directory (docs/signing.md); the first key is made where nothing
 * was ever signed.
 *
 * Errors  those of `ensureLogKey`, and `unavailable` when the database cannot be reached at the start.
 */
export async function startDirectorySigner(
  services: Pick<Services, 'db' | 'clock' | 'log'>,
  { connectionString, witnesses, ...directory }: DirectorySignerOptions,
): Promise<Signer> {
  await ensureLogKey(services, directory);
  const state = await openStateDirectory(directory.dir);
  const readKeys = () => readSignerKeys(directory.dir);
  return startSigner(services, { connectionString, readKeys, state, witnesses });
}

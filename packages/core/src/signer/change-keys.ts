import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AnnalsError } from '@annals/contract';
import {
  encodeBase64,
  formatSigningKey,
  formatVerifierKey,
  parseVerifierKey,
  signingKey,
  type VerifierKey,
  verifierKey,
} from '@annals/tlog';
import { createFile, makeDirectory, syncDirectory } from './durable-file.ts';
import { isTaken, unusable } from './file-errors.ts';
import { readStoredKeys, type StoredKey } from './key-directory.ts';
import { newestSignedHeads } from './signed-heads.ts';
import { openStateDirectory } from './state-directory.ts';

export interface CreateLogKey {
  readonly dir: string;
  /** Begins the origin of every log of the deployment, for good. */
  readonly logName: string;
  /** The vkey of a lost key under which logs of this name were signed: they go on with the new one. */
  readonly replaces?: string | undefined;
}

/**
 * Make the first key of a deployment, in a directory that has none.
 *
 * Limits  `logName`: 1 to 128 characters of A-Z a-z 0-9 . _ - :, without /, or an origin could be that of two logs.
 * Errors  `invalid_input` for another name or vkey, and for a directory that has keys.
 */
export async function createLogKey({ dir, logName, replaces }: CreateLogKey): Promise<StoredKey> {
  checkLogName(logName);
  const lost = replaces === undefined ? undefined : parseReplaced(replaces, logName);
  if ((await readStoredKeys(dir)).length > 0) {
    throw unusable(join(dir, 'keys'), 'has keys; `annals log-key rotate` adds one');
  }
  await makeDirectory(join(dir, 'keys'));
  if (lost) {
    const { publicKey, type } = lost;
    await writeKey(dir, '1.retired', formatVerifierKey(verifierKey({ name: logName, type, publicKey })));
  }
  return writeNewKey(dir, { number: lost ? 2 : 1, logName });
}

/**
 * Add a key. A signer that runs appends the rotation to each log, and from then on signs it with both, until the
 * older one is retired.
 *
 * Errors  `invalid_input` for a directory without keys.
 */
export async function rotateLogKey(dir: string): Promise<StoredKey> {
  const keys = await readKeysOf(dir);
  const last = keys.at(-1) as StoredKey;
  return writeNewKey(dir, { number: last.number + 1, logName: last.key.name });
}

export interface RetireLogKey {
  readonly dir: string;
  readonly number: number;
  /** Retire it although some logs know no other key yet; they are not signed until the rotation stands in them. */
  readonly force?: boolean | undefined;
}

/**
 * End the use of a key: its secret is removed, and its public half stays for checking what it signed.
 *
 * Errors  `invalid_input` for the only key that signs, for one that signs no more, and without `force` while there
 *         are logs that no other key may sign yet.
 */
export async function retireLogKey({ dir, number, force = false }: RetireLogKey): Promise<StoredKey> {
  const keys = await readKeysOf(dir);
  const key = keys.find((each) => each.number === number && each.status === 'active');
  if (!key) throw refused(`there is no key ${number} that signs`);
  const others = keys.filter((each) => each.status === 'active' && each !== key);
  if (others.length === 0) throw refused(`key ${number} is the only one that signs; rotate first`);
  const waiting = force ? [] : await logsWithout(dir, others);
  if (waiting.length > 0) {
    const some = waiting.slice(0, 3).join(', ');
    throw refused(
      `${waiting.length} logs are not signed by another key yet (${some}); let the signer run, or use --force`,
    );
  }
  const path = join(dir, 'keys');
  await writeKey(dir, `${number}.retired`, formatVerifierKey(key.key));
  await rm(join(path, `${number}.key`), { force: true });
  await syncDirectory(path);
  return { number, status: 'retired', key: key.key };
}

/** Origins of logs that none of these keys may sign yet; those of closed epochs are signed no more. */
async function logsWithout(dir: string, keys: readonly StoredKey[]): Promise<string[]> {
  const state = await openStateDirectory(dir);
  const known = new Set(keys.map(({ key }) => encodeBase64(key.publicKey)));
  const heads = await newestSignedHeads(state, keys[0]?.key.name ?? '');
  return heads.filter(({ head }) => !head.keys.some((key) => known.has(key))).map(({ origin }) => origin);
}

async function readKeysOf(dir: string): Promise<StoredKey[]> {
  const keys = await readStoredKeys(dir);
  if (keys.length === 0) throw unusable(join(dir, 'keys'), 'has no key; `annals log-key create` makes one');
  return keys;
}

async function writeNewKey(
  dir: string,
  { number, logName }: { readonly number: number; readonly logName: string },
): Promise<StoredKey> {
  const { seed, ...key } = signingKey({ name: logName, type: 'ed25519', seed: randomBytes(32) });
  await writeKey(dir, `${number}.key`, formatSigningKey({ ...key, seed }));
  return { number, status: 'active', key };
}

async function writeKey(dir: string, name: string, text: string): Promise<void> {
  const path = join(dir, 'keys', name);
  try {
    await createFile({ path, text: `${text}\n` });
  } catch (error) {
    if (isTaken(error)) throw refused(`${path} was made at the same time; look, and try again`);
    throw unusable(path, 'cannot be written; check its permissions', error);
  }
}

function parseReplaced(vkey: string, logName: string): VerifierKey {
  try {
    const key = parseVerifierKey(vkey);
    if (key.type === 'ed25519' && (key.name === logName || key.name.startsWith(`${logName}/`))) return key;
  } catch (error) {
    throw refused('the key to replace is no vkey, as a policy file holds them', error);
  }
  throw refused(`the key to replace signed no log of ${logName}`);
}

function checkLogName(logName: string): void {
  if (logName.length <= 128 && /^[A-Za-z0-9._:-]+$/.test(logName)) return;
  throw refused('the log name must be 1 to 128 of A-Z a-z 0-9 . _ : -, as annals.example.com');
}

function refused(message: string, cause?: unknown): AnnalsError {
  return new AnnalsError({ code: 'invalid_input', message }, cause === undefined ? {} : { cause });
}

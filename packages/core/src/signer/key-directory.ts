import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  parseSigningKey,
  parseVerifierKey,
  type SigningKey,
  signatureOf,
  type VerifierKey,
} from '@annals/tlog';
import { isMissing, unusable } from './file-errors.ts';
import type { NoteSigner, SignerKeys } from './note-signer.ts';

/** A key of the directory, by the number that its file has. */
export interface StoredKey {
  readonly number: number;
  /** Of a retired key only the public half is left. */
  readonly status: 'active' | 'retired';
  /** Its name is the deployment's log name; a log is signed under its own origin. */
  readonly key: VerifierKey;
}

interface ActiveKey extends StoredKey {
  readonly secret: SigningKey;
}

/**
 * The keys that lie as files in `<dir>/keys`: `<n>.key` holds one that signs, in the form of
 * golang.org/x/mod/sumdb/note and readable by its owner alone; `<n>.retired` the vkey of one that did.
 *
 * Returns undefined where there is none.
 * Errors  `invalid_input`, naming the file, for one that is damaged or readable by others, for keys of several
 *         deployments, and where only retired ones are left.
 */
export async function readSignerKeys(dir: string): Promise<SignerKeys | undefined> {
  const keys = await readStoredKeys(dir);
  const [first] = keys;
  if (!first) return undefined;
  const active = keys.filter(isActive).map(({ secret }) => toNoteSigner(secret));
  if (active.length === 0) {
    throw unusable(
      join(dir, 'keys'),
      'holds retired keys only; run `annals log-key rotate` for one that signs',
    );
  }
  const retired = keys.filter((key) => !isActive(key)).map(({ key }) => key.publicKey);
  return { logName: first.key.name, active, retired };
}

/** Every key of the directory in the order of their numbers; errors as `readSignerKeys`. */
export async function readStoredKeys(dir: string): Promise<(StoredKey | ActiveKey)[]> {
  const path = join(dir, 'keys');
  const names = await readNames(path);
  const keys: (StoredKey | ActiveKey)[] = [];
  for (const name of names) {
    const [, number, kind] = /^([1-9]\d{0,5})\.(key|retired)$/.exec(name) ?? [];
    // Retiring writes the one file before it removes the other.
    if (number === undefined || (kind === 'key' && names.includes(`${number}.retired`))) continue;
    const read = kind === 'key' ? readActive : readRetired;
    keys.push({ number: Number(number), ...(await read(join(path, name))) });
  }
  const [first] = keys;
  if (keys.some(({ key }) => key.name !== first?.key.name)) {
    throw unusable(path, 'holds keys of several names; each deployment has a directory of its own');
  }
  return keys.toSorted((a, b) => a.number - b.number);
}

async function readNames(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw unusable(path, 'cannot be read; restore its permissions', error);
  }
}

async function readActive(path: string): Promise<Omit<ActiveKey, 'number'>> {
  // Windows keeps no such bits.
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) {
    throw unusable(path, 'can be read by others than its owner; run `chmod 600` on it');
  }
  const secret = await readKey(path, parseSigningKey);
  const { name, keyId, type, publicKey } = secret;
  return { status: 'active', key: { name, keyId, type, publicKey }, secret };
}

async function readRetired(path: string): Promise<Omit<StoredKey, 'number'>> {
  return { status: 'retired', key: await readKey(path, parseVerifierKey) };
}

async function readKey<Key extends VerifierKey>(path: string, parse: (text: string) => Key): Promise<Key> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unusable(path, 'cannot be read; restore its permissions', error);
  }
  try {
    const key = parse(text.replace(/\r?\n$/, ''));
    if (key.type === 'ed25519') return key;
  } catch (error) {
    throw unusable(path, 'is damaged; restore it from a backup', error);
  }
  throw unusable(path, 'is no key that signs a log');
}

function isActive(key: StoredKey | ActiveKey): key is ActiveKey {
  return key.status === 'active';
}

function toNoteSigner(key: SigningKey): NoteSigner {
  return {
    publicKey: key.publicKey,
    sign: (text) => Promise.resolve(signatureOf(text, key).signature),
  };
}

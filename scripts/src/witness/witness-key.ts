import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { formatSigningKey, parseSigningKey, type SigningKey, signingKey, TlogError } from '@annals/tlog';
import { UsageError } from '../cli/exit.ts';
import { placeFile } from './place-file.ts';

const fileName = 'witness.key';

/**
 * The witness's own key in `<dir>/witness.key`, made where there is none.
 *
 * `name` stands in every cosignature; without one a new key gets a random one.
 * Errors  `UsageError` for a name that no key can have, one that is not that of the key which is there, and
 *         for a file that holds no such key.
 */
export async function openWitnessKey(dir: string, name?: string): Promise<SigningKey> {
  const folder = resolve(dir);
  const there = await readKey(join(folder, fileName));
  const key = there ?? (await createKey(folder, name ?? `witness-${randomBytes(4).toString('hex')}`));
  if (name !== undefined && key.name !== name) {
    throw new UsageError(
      `the key in ${folder} has the name ${key.name}; for another name take another --dir`,
    );
  }
  return key;
}

async function createKey(folder: string, name: string): Promise<SigningKey> {
  const key = makeKey(name);
  if (await placeFile({ folder, name: fileName, text: `${formatSigningKey(key)}\n` })) return key;
  // Made by another process just now.
  return (await readKey(join(folder, fileName))) ?? key;
}

function makeKey(name: string): SigningKey {
  try {
    return signingKey({ name, type: 'cosignature', seed: randomBytes(32) });
  } catch (error) {
    if (error instanceof TlogError) throw new UsageError(`--name: ${error.message}`, { cause: error });
    throw error;
  }
}

async function readKey(file: string): Promise<SigningKey | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const key = parseSigningKey(text.trimEnd());
    if (key.type === 'cosignature') return key;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
  }
  throw new UsageError(`${file} holds no key of a witness`);
}

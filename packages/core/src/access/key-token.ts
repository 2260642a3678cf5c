import { hash, randomBytes, randomInt } from 'node:crypto';

/** A key as its holder passes it, in its parts. */
export interface KeyToken {
  /** 16 characters of a-z 0-9; names the key and is safe to show. */
  readonly id: string;
  readonly secret: string;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A new key: 16 random characters for its id, 32 random bytes as base64url for its secret. */
export function mintKeyToken(): KeyToken {
  const id = Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return { id, secret: randomBytes(32).toString('base64url') };
}

export function formatKeyToken({ id, secret }: KeyToken): string {
  return `${keyPrefix(id)}_${secret}`;
}

/** What of a key is shown in lists. */
export function keyPrefix(id: string): string {
  return `annals_${id}`;
}

/** The parts of a key, or undefined for a text that no key can be. */
export function parseKeyToken(text: string): KeyToken | undefined {
  const [, id, secret] = /^annals_([a-z0-9]{16})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** What is stored of a secret: 256 random bits need neither a salt nor a slow hash. */
export function hashSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

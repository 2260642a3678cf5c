import { platform } from '#platform';
import { encodeBase64 } from '../base64.ts';
import { concatBytes } from '../bytes.ts';
import { TlogError } from '../tlog-error.ts';
import {
  formatKeyId,
  type KeyType,
  keyTypes,
  splitKey,
  type VerifierKey,
  verifierKey,
} from './verifier-key.ts';

/** A private key with its public half; `seed` is the secret, 32 random bytes that the caller draws. */
export interface SigningKey extends VerifierKey {
  readonly seed: Uint8Array;
}

export interface SigningKeyParts {
  readonly name: string;
  readonly type: KeyType;
  readonly seed: Uint8Array;
}

/** The key of a seed; errors as `verifierKey`. */
export function signingKey({ name, type, seed }: SigningKeyParts): SigningKey {
  if (seed.length !== 32) throw new TlogError('bad_key', 'the seed of an Ed25519 key has 32 bytes');
  return { ...verifierKey({ name, type, publicKey: platform.ed25519PublicKey(seed) }), seed };
}

/**
 * `PRIVATE+KEY+<name>+<key id in hex>+<base64 of type and seed>`, the secret in full.
 *
 * Source  golang.org/x/mod/sumdb/note; C2SP leaves the form of private keys open.
 */
export function formatSigningKey({ name, keyId, type, seed }: SigningKey): string {
  const material = encodeBase64(concatBytes([Uint8Array.of(keyTypes[type]), seed]));
  return `${prefix}${name}+${formatKeyId(keyId)}+${material}`;
}

/** The key that `formatSigningKey` wrote; errors as `parseVerifierKey`, none of which quotes the secret. */
export function parseSigningKey(text: string): SigningKey {
  if (!text.startsWith(prefix)) throw new TlogError('bad_key', `expected ${prefix}<name>+<key id>+<base64>`);
  const { name, keyId, type, material: seed } = splitKey(text.slice(prefix.length));
  const key = signingKey({ name, type, seed });
  if (formatKeyId(key.keyId) !== keyId) throw new TlogError('bad_key', 'the key id is not that of the key');
  return key;
}

const prefix = 'PRIVATE+KEY+';

import { platform } from '#platform';
import { decodeBase64, encodeBase64 } from '../base64.ts';
import { concatBytes } from '../bytes.ts';
import { encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { checkKeyName } from './key-name.ts';

/** The signature types that this package speaks, by their byte (C2SP signed-note, "Signature types"). */
export const keyTypes = {
  /** Signs a note as it stands. */
  ed25519: 0x01,
  /** Cosigns a checkpoint with the time (C2SP tlog-cosignature, "cosignature/v1"). */
  cosignature: 0x04,
} as const;

export type KeyType = keyof typeof keyTypes;

/** A public key with the name under which it signs, as a vkey tells it. */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: number;
  readonly type: KeyType;
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Uint8Array;
}

export type VerifierKeyParts = Omit<VerifierKey, 'keyId'>;

/** A key with the id that C2SP signed-note and tlog-cosignature compute for it. */
export function verifierKey({ name, type, publicKey }: VerifierKeyParts): VerifierKey {
  checkKeyName(name, 'bad_key');
  if (publicKey.length !== 32) throw new TlogError('bad_key', 'an Ed25519 public key has 32 bytes');
  const hashed = [encodeText(`${name}\n`), Uint8Array.of(keyTypes[type]), publicKey];
  const hash = platform.sha256(concatBytes(hashed));
  return { name, type, publicKey, keyId: new DataView(hash.buffer, hash.byteOffset).getUint32(0) };
}

/** `<name>+<key id in hex>+<base64 of type and public key>` (C2SP signed-note, "Verifier keys"). */
export function formatVerifierKey({ name, keyId, type, publicKey }: VerifierKey): string {
  const material = encodeBase64(concatBytes([Uint8Array.of(keyTypes[type]), publicKey]));
  return `${name}+${formatKeyId(keyId)}+${material}`;
}

/**
 * The key of a vkey.
 *
 * Errors  `bad_key` for another form or an id that is not the key's, `unsupported_key` for a signature type
 *         other than 0x01 and 0x04.
 */
export function parseVerifierKey(vkey: string): VerifierKey {
  const { name, keyId, type, material: publicKey } = splitKey(vkey);
  const key = verifierKey({ name, type, publicKey });
  if (formatKeyId(key.keyId) !== keyId) throw new TlogError('bad_key', 'the key id is not that of the key');
  return key;
}

/** The three parts of a key in text, the type byte read. */
export function splitKey(text: string): { name: string; keyId: string; type: KeyType; material: Uint8Array } {
  const [, name, keyId, base64] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text) ?? [];
  if (name === undefined || keyId === undefined || base64 === undefined) {
    throw new TlogError('bad_key', 'expected <name>+<key id>+<base64>');
  }
  checkKeyName(name, 'bad_key');
  const [byte, ...material] = decodeBase64(base64);
  const type = byte === 0x01 ? 'ed25519' : byte === 0x04 ? 'cosignature' : undefined;
  if (!type) throw new TlogError('unsupported_key', `keys of type ${byte} are not supported`);
  return { name, keyId, type, material: Uint8Array.from(material) };
}

/** Eight lowercase hexadecimal digits. */
export function formatKeyId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}

import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { concatBytes } from '../bytes.ts';
import type { Platform } from './platform.ts';
import { hasSignatureForm } from './signature-form.ts';

// RFC 8410: the DER that stands before 32 raw bytes in a PKCS #8 private key and in a public key.
const privateKeyPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicKeyPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Node's own cryptography; one-shot hashing is about four times as fast as @noble/hashes. */
export const platform: Platform = {
  sha256: (bytes) => plain(hash('sha256', bytes, 'buffer')),
  ed25519PublicKey: (seed) => {
    const der = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' });
    return new Uint8Array(der.subarray(publicKeyPrefix.length));
  },
  ed25519Sign: (message, seed) => plain(sign(null, message, privateKey(seed))),
  ed25519Verify: (signed) => {
    if (!hasSignatureForm(signed)) return false;
    try {
      return verify(null, signed.message, publicKey(signed.publicKey), signed.signature);
    } catch {
      // OpenSSL refuses to load some keys that are no point of the curve.
      return false;
    }
  },
};

function privateKey(seed: Uint8Array): KeyObject {
  const key = Buffer.from(concatBytes([privateKeyPrefix, seed]));
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function publicKey(raw: Uint8Array): KeyObject {
  const key = Buffer.from(concatBytes([publicKeyPrefix, raw]));
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

/** A Uint8Array as browsers have it: a Buffer has another `slice` and `toString`. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

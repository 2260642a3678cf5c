import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes } from '../bytes.ts';
import type { Platform, SignedMessage } from './platform.ts';
import { hasSignatureForm } from './signature-form.ts';

const { Point } = ed25519;

/** Cryptography in plain JavaScript, for browsers and whatever else is not Node. */
export const platform: Platform = {
  sha256: (bytes) => sha256(bytes),
  ed25519PublicKey: (seed) => ed25519.getPublicKey(seed),
  ed25519Sign: (message, seed) => ed25519.sign(message, seed),
  ed25519Verify: (signed) => {
    if (!hasSignatureForm(signed)) return false;
    try {
      return verifyWithoutCofactor(signed);
    } catch {
      // No point of the curve, or a scalar that is not below the group's order.
      return false;
    }
  },
};

/**
 * R = [S]B - [k]A, compared as bytes. @noble's own `verify` multiplies by the cofactor, so that it would
 * accept signatures that node:crypto and most verifiers of other languages refuse.
 */
function verifyWithoutCofactor({ message, signature, publicKey }: SignedMessage): boolean {
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const a = Point.fromBytes(publicKey, true);
  const k = Point.Fn.create(littleEndian(sha512(concatBytes([r, publicKey, message]))));
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return equalBytes(expected.toBytes(), r);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

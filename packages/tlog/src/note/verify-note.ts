import { platform } from '#platform';
import { encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { cosignedMessage, readCosignature } from './cosignature.ts';
import type { NoteSignature, SignedNote } from './signed-note.ts';
import type { VerifierKey } from './verifier-key.ts';

/** One signature that holds. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Seconds since 1970, of a cosignature. */
  readonly timestamp?: number;
}

/**
 * Check a note against known keys, and tell which of them signed. Signatures of others are ignored, even
 * where they share a name or an id with a known key.
 *
 * Errors  `signature_invalid` where the signature of a known key does not hold: then nothing of the note is
 *         to be trusted. `signature_missing` where no known key signed.
 * Source  C2SP signed-note, "Signatures"; tlog-cosignature.
 */
export function verifyNote(note: SignedNote, keys: readonly VerifierKey[]): VerifiedSignature[] {
  const verified = new Map<VerifierKey, VerifiedSignature>();
  for (const signature of note.signatures) {
    for (const key of keys) {
      if (key.name !== signature.name || key.keyId !== signature.keyId) continue;
      verified.set(key, verifySignature(note.text, signature, key));
    }
  }
  if (verified.size === 0) throw new TlogError('signature_missing', 'no known key signed the note');
  return [...verified.values()];
}

function verifySignature(text: string, { signature }: NoteSignature, key: VerifierKey): VerifiedSignature {
  if (key.type === 'ed25519') {
    expectSignature(encodeText(text), signature, key);
    return { key };
  }
  // Only checkpoints can be cosigned.
  parseCheckpoint(text);
  const cosignature = readCosignature(signature);
  expectSignature(cosignedMessage(text, cosignature.timestamp), cosignature.signature, key);
  return { key, timestamp: cosignature.timestamp };
}

function expectSignature(message: Uint8Array, signature: Uint8Array, key: VerifierKey): void {
  if (!platform.ed25519Verify({ message, signature, publicKey: key.publicKey })) {
    throw new TlogError('signature_invalid', `the signature of ${key.name} does not hold`);
  }
}

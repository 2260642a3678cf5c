export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
export { cosignedMessage } from './cosignature.ts';
export { type Cosigning, cosign, signatureOf, signNote } from './sign-note.ts';
export {
  formatNote,
  formatSignature,
  type NoteSignature,
  parseNote,
  parseSignature,
  type SignedNote,
} from './signed-note.ts';
export {
  formatSigningKey,
  parseSigningKey,
  type SigningKey,
  type SigningKeyParts,
  signingKey,
} from './signing-key.ts';
export {
  formatVerifierKey,
  type KeyType,
  parseVerifierKey,
  type VerifierKey,
  type VerifierKeyParts,
  verifierKey,
} from './verifier-key.ts';
export { type VerifiedSignature, verifyNote } from './verify-note.ts';

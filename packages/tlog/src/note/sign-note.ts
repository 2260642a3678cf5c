import { platform } from '#platform';
import { concatBytes } from '../bytes.ts';
import { encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { checkInteger } from '../tree/size.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { cosignatureBytes, cosignedMessage } from './cosignature.ts';
import { formatNote, type NoteSignature, type SignedNote } from './signed-note.ts';
import type { SigningKey } from './signing-key.ts';

/** A note with the signatures of these keys, as text. Keys of type `cosignature` need `cosign` instead. */
export function signNote(text: string, keys: readonly SigningKey[]): string {
  return formatNote({ text, signatures: keys.map((key) => signatureOf(text, key)) });
}

/**
 * The signature of a note's text by a key of type `ed25519` (C2SP signed-note, "Ed25519 signatures").
 *
 * Where the key lies elsewhere, sign the UTF-8 bytes of the text there and build the NoteSignature by hand.
 */
export function signatureOf(text: string, { name, keyId, type, seed }: SigningKey): NoteSignature {
  if (type !== 'ed25519') throw new TlogError('bad_argument', 'a cosignature needs a time: use cosign');
  return { name, keyId, signature: platform.ed25519Sign(encodeText(text), seed) };
}

/**
 * The cosignature of a checkpoint by a key of type `cosignature`: a statement that, at `timestamp`, this was
 * the largest consistent tree that the cosigner had seen of the log. Keeping that true is the caller's part.
 *
 * Units   `timestamp` in seconds since 1970.
 * Source  C2SP tlog-cosignature, "Ed25519 signed message".
 */
export function cosign({ text }: Pick<SignedNote, 'text'>, { key, timestamp }: Cosigning): NoteSignature {
  if (key.type !== 'cosignature') throw new TlogError('bad_argument', 'the key is not of type cosignature');
  checkInteger(timestamp, { name: 'timestamp' });
  parseCheckpoint(text);
  const signature = platform.ed25519Sign(cosignedMessage(text, timestamp), key.seed);
  return {
    name: key.name,
    keyId: key.keyId,
    signature: concatBytes([cosignatureBytes(timestamp), signature]),
  };
}

export interface Cosigning {
  readonly key: SigningKey;
  readonly timestamp: number;
}

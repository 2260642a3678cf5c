import { limits } from '../limits.ts';
import { type NoteSignature, parseNote, type SignedNote } from '../note/signed-note.ts';
import type { VerifierKey } from '../note/verifier-key.ts';
import { type VerifiedSignature, verifyNote } from '../note/verify-note.ts';
import { decodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';

export interface WitnessReply {
  /** The body of an answer with status 200. */
  readonly body: Uint8Array;
  /** The note text of the checkpoint that was sent. */
  readonly text: string;
  /** The keys of the witness, of type `cosignature`. */
  readonly keys: readonly VerifierKey[];
}

/**
 * The cosignatures in a witness's answer, each verified; those of unknown keys are left out.
 *
 * Limits  65,536 bytes, 100 signatures.
 * Errors  `signature_invalid` where one of a known key does not hold or tells no time, `signature_missing`
 *         where no known key cosigned, `bad_note` for another form, `too_large` beyond a limit.
 * Source  C2SP tlog-witness, "add-checkpoint".
 */
export function readCosignatures({ body, text, keys }: WitnessReply): NoteSignature[] {
  if (body.length > limits.witnessAnswerBytesMax) {
    throw new TlogError('too_large', `an answer has at most ${limits.witnessAnswerBytesMax} bytes`);
  }
  const note = parseNote(`${text}\n${decodeText(body)}`);
  // An empty line in the answer would move the end of the text, to which the signatures belong.
  if (note.text !== text) throw new TlogError('bad_note', 'the answer must hold signature lines only');
  const verified = verifyNote(note, keys);
  if (verified.some(({ timestamp }) => timestamp === undefined)) {
    throw new TlogError('bad_argument', 'the key of a witness must be of type cosignature');
  }
  return verified.flatMap(({ key }) => cosignatureOf(note, key));
}

/** The one of a key; each of several holds, and the first that a witness wrote is taken. */
function cosignatureOf({ text, signatures }: SignedNote, key: VerifierKey): NoteSignature[] {
  const [first] = signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
  if (!first) return [];
  const [{ timestamp }] = verifyNote({ text, signatures: [first] }, [key]) as [VerifiedSignature];
  if (timestamp === 0)
    throw new TlogError('signature_invalid', `the cosignature of ${key.name} tells no time`);
  return [first];
}

import { decodeBase64, encodeBase64 } from '../base64.ts';
import { limits } from '../limits.ts';
import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts';
import { parseNote, type SignedNote } from '../note/signed-note.ts';
import { decodeText, parseDecimal } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import { checkInteger } from '../tree/size.ts';

/** What a log sends a witness: a checkpoint, and the proof that it grew out of the one cosigned before. */
export interface AddCheckpoint {
  /** The size that the witness cosigned last, 0 where it never did. */
  readonly oldSize: number;
  /** The consistency proof from `oldSize` (RFC 6962, section 2.1.2); empty from size 0. */
  readonly proof: readonly Uint8Array[];
  /** The checkpoint with the log's signatures, which nobody has verified yet. */
  readonly note: SignedNote;
  readonly checkpoint: Checkpoint;
}

export interface AddCheckpointParts {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint as it is written. */
  readonly note: string;
}

/**
 * The body of a POST to `<submission prefix>/add-checkpoint`.
 *
 * Limits  63 hashes.
 * Source  C2SP tlog-witness, "add-checkpoint".
 */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpointParts): string {
  checkInteger(oldSize, { name: 'the old size' });
  checkCount(proof.length);
  if (proof.some((hash) => hash.length !== hashBytes)) throw badHash();
  return [`old ${oldSize}`, ...proof.map(encodeBase64), '', note].join('\n');
}

/**
 * Read such a body; the note in it must not be trusted before its signatures are verified.
 *
 * Limits  131,072 bytes, 63 hashes, and those of a note.
 * Errors  `bad_request` for another form, those of a note and of a checkpoint, `too_large` beyond a limit.
 */
export function parseAddCheckpoint(bytes: Uint8Array): AddCheckpoint {
  if (bytes.length > limits.witnessRequestBytesMax) {
    throw new TlogError('too_large', `a request has at most ${limits.witnessRequestBytesMax} bytes`);
  }
  const body = decodeText(bytes);
  const blank = body.indexOf('\n\n');
  if (blank < 0) throw new TlogError('bad_request', 'expected an empty line before the checkpoint');
  const [first = '', ...hashes] = body.slice(0, blank).split('\n');
  if (!first.startsWith('old ')) throw new TlogError('bad_request', 'expected old <size> as the first line');
  checkCount(hashes.length);
  const note = parseNote(body.slice(blank + 2));
  return {
    oldSize: parseDecimal(first.slice('old '.length), { name: 'the old size', reason: 'bad_request' }),
    proof: hashes.map(readHash),
    note,
    checkpoint: parseCheckpoint(note.text),
  };
}

function readHash(line: string): Uint8Array {
  const hash = decodeBase64(line);
  if (hash.length !== hashBytes) throw badHash();
  return hash;
}

function checkCount(count: number): void {
  if (count <= limits.witnessProofHashesMax) return;
  throw new TlogError('too_large', `a request has at most ${limits.witnessProofHashesMax} hashes`);
}

function badHash(): TlogError {
  return new TlogError('bad_request', `a hash of a consistency proof has ${hashBytes} bytes`);
}

/** The size that a witness tells with 409: what it cosigned last. Errors: `bad_request` for another form. */
export function parseWitnessSize(body: Uint8Array): number {
  const text = decodeText(body);
  if (!text.endsWith('\n')) throw new TlogError('bad_request', 'the size must end in a newline');
  return parseDecimal(text.slice(0, -1), { name: 'the size of the witness', reason: 'bad_request' });
}

/** As it is told. */
export function formatWitnessSize(size: number): string {
  checkInteger(size, { name: 'the size of the witness' });
  return `${size}\n`;
}

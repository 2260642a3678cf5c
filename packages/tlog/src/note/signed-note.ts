import { decodeBase64, encodeBase64 } from '../base64.ts';
import { concatBytes } from '../bytes.ts';
import { limits } from '../limits.ts';
import { decodeText, encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { checkKeyName, hasControl } from './key-name.ts';

/** A text with signatures that nobody has verified yet (C2SP signed-note). */
export interface SignedNote {
  /** Ends in a newline, which is signed too. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** What follows the key id: at least one byte, of a form that the key's type gives. */
  readonly signature: Uint8Array;
}

const mark = '\u2014 ';

/**
 * Read a signed note. Its text must not be used before `verifyNote`.
 *
 * Limits  1,000,000 bytes, 1 to 100 signatures.
 * Errors  `bad_note` for another form, `too_large` beyond a limit.
 */
export function parseNote(source: Uint8Array | string): SignedNote {
  const bytes = typeof source === 'string' ? encodeText(source) : source;
  if (bytes.length > limits.noteBytesMax) {
    throw new TlogError('too_large', `a note has at most ${limits.noteBytesMax} bytes`);
  }
  const note = decodeText(bytes);
  if (hasControl(note, '\n')) throw new TlogError('bad_note', 'a note must not hold control characters');
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0) throw new TlogError('bad_note', 'expected an empty line before the signatures');
  const lines = note.slice(blank + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0) {
    throw new TlogError('bad_note', 'expected signatures, each ended by a newline');
  }
  checkCount(lines.length);
  return { text: note.slice(0, blank + 1), signatures: lines.map(parseSignature) };
}

/** A note as it is written; refuses what `parseNote` would not read back. */
export function formatNote({ text, signatures }: SignedNote): string {
  if (!text.endsWith('\n')) throw new TlogError('bad_note', 'the text of a note ends in a newline');
  if (signatures.length === 0) throw new TlogError('bad_note', 'a note has at least one signature');
  checkCount(signatures.length);
  const note = `${text}\n${signatures.map(formatSignature).join('')}`;
  if (hasControl(note, '\n')) throw new TlogError('bad_note', 'a note must not hold control characters');
  if (encodeText(note).length > limits.noteBytesMax) {
    throw new TlogError('too_large', `a note has at most ${limits.noteBytesMax} bytes`);
  }
  return note;
}

/** One signature line, as a witness answers it: `— <name> <base64 of key id and signature>`, newline. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  checkKeyName(name, 'bad_note');
  if (signature.length === 0) throw new TlogError('bad_note', 'a signature has at least one byte');
  const id = new Uint8Array(4);
  new DataView(id.buffer).setUint32(0, keyId);
  return `${mark}${name} ${encodeBase64(concatBytes([id, signature]))}\n`;
}

/** A signature line without its newline. */
export function parseSignature(line: string): NoteSignature {
  const [name, base64, ...more] = line.startsWith(mark) ? line.slice(mark.length).split(' ') : [];
  if (name === undefined || base64 === undefined || more.length > 0) {
    throw new TlogError('bad_note', 'expected a signature as: em dash, space, key name, space, base64');
  }
  checkKeyName(name, 'bad_note');
  const bytes = decodeBase64(base64);
  if (bytes.length < 5) throw new TlogError('bad_note', 'a signature has a key id and at least one byte');
  const keyId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return { name, keyId, signature: bytes.slice(4) };
}

function checkCount(count: number): void {
  if (count > limits.noteSignaturesMax) {
    throw new TlogError('too_large', `a note has at most ${limits.noteSignaturesMax} signatures`);
  }
}

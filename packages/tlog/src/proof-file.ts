import { decodeBase64, encodeBase64 } from './base64.ts';
import { limits } from './limits.ts';
import { formatNote, parseNote, type SignedNote } from './note/signed-note.ts';
import type { Policy } from './policy/policy.ts';
import { type VerifiedCheckpoint, verifyCheckpoint } from './policy/verify-checkpoint.ts';
import { decodeText, encodeText, parseDecimal } from './text.ts';
import { TlogError } from './tlog-error.ts';
import { hashBytes } from './tree/hash.ts';
import { checkInteger } from './tree/size.ts';
import { verifyInclusion } from './tree/verify-inclusion.ts';

/** That an entry stands in a log, in one file to check without a network (C2SP tlog-proof). */
export interface ProofFile {
  /** Of the application, not authenticated; not empty. */
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: SignedNote;
}

const header = 'c2sp.org/tlog-proof@v1';

/** The text of a proof file, for a file named `*.tlog-proof`. */
export function formatProofFile({ extra, index, proof, checkpoint }: ProofFile): string {
  checkInteger(index, { name: 'index' });
  if (extra?.length === 0) throw new TlogError('bad_proof', 'extra data must not be empty');
  checkHashes(proof);
  const lines = [
    header,
    ...(extra ? [`extra ${encodeBase64(extra)}`] : []),
    `index ${index}`,
    ...proof.map(encodeBase64),
    '',
    formatNote(checkpoint),
  ];
  return checkLength(lines.join('\n'));
}

/**
 * Read a proof file. Nothing of it may be trusted before `verifyProofFile`.
 *
 * Limits  4,000,000 bytes, 64 hashes, and those of a note.
 * Errors  `bad_proof`, `bad_base64` or `bad_note` for another form, `too_large` beyond a limit.
 */
export function parseProofFile(source: Uint8Array | string): ProofFile {
  const text = checkLength(typeof source === 'string' ? source : decodeText(source));
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw new TlogError('bad_proof', 'expected an empty line before the checkpoint');
  const [first, ...lines] = text.slice(0, blank).split('\n');
  if (first !== header) throw new TlogError('bad_proof', `expected ${header} in the first line`);
  const extra = lines[0]?.startsWith('extra ') ? decodeBase64(lines.shift()?.slice(6) ?? '') : undefined;
  if (extra?.length === 0) throw new TlogError('bad_proof', 'extra data must not be empty');
  const [index, ...hashes] = lines;
  if (!index?.startsWith('index ')) throw new TlogError('bad_proof', 'expected the index of the entry');
  return {
    ...(extra && { extra }),
    index: parseDecimal(index.slice(6), { name: 'index', reason: 'bad_proof' }),
    proof: checkHashes(hashes.map(decodeBase64)),
    checkpoint: parseNote(text.slice(blank + 2)),
  };
}

export interface ProofFileCheck {
  readonly file: ProofFile;
  /** Of the entry that the file is to prove, computed by the caller. */
  readonly leafHash: Uint8Array;
  readonly policy: Policy;
}

/**
 * Check that the entry with this leaf hash stands in a log that the policy accepts.
 *
 * Errors  those of `verifyCheckpoint` and of `verifyInclusion`.
 * Source  C2SP tlog-proof, "Verifying a tlog proof".
 */
export function verifyProofFile({ file, leafHash, policy }: ProofFileCheck): VerifiedCheckpoint {
  const verified = verifyCheckpoint(file.checkpoint, policy);
  const { size, root } = verified.checkpoint;
  verifyInclusion({ leafHash, index: file.index, size, root, proof: file.proof });
  return verified;
}

function checkHashes(hashes: readonly Uint8Array[]): readonly Uint8Array[] {
  if (hashes.length > limits.proofHashesMax) {
    throw new TlogError('too_large', `a proof has at most ${limits.proofHashesMax} hashes`);
  }
  if (hashes.some((hash) => hash.length !== hashBytes)) {
    throw new TlogError('bad_proof', `each hash of a proof has ${hashBytes} bytes`);
  }
  return hashes;
}

function checkLength(text: string): string {
  if (encodeText(text).length > limits.proofFileBytesMax) {
    throw new TlogError('too_large', `a proof file has at most ${limits.proofFileBytesMax} bytes`);
  }
  return text;
}

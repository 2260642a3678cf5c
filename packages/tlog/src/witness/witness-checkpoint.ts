import { equalBytes } from '../bytes.ts';
import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts';
import { cosign } from '../note/sign-note.ts';
import { formatNote, formatSignature, type NoteSignature, parseNote } from '../note/signed-note.ts';
import type { SigningKey } from '../note/signing-key.ts';
import type { VerifierKey } from '../note/verifier-key.ts';
import { verifyNote } from '../note/verify-note.ts';
import type { PolicyLog } from '../policy/policy.ts';
import { TlogError } from '../tlog-error.ts';
import { emptyRoot } from '../tree/hash.ts';
import { checkInteger } from '../tree/size.ts';
import { verifyConsistency } from '../tree/verify-consistency.ts';
import { type AddCheckpoint, formatWitnessSize } from './add-checkpoint.ts';

export interface Witnessing {
  readonly request: AddCheckpoint;
  /** The checkpoint of this origin that was cosigned last, as `newState` gave it; absent before the first. */
  readonly state?: string | undefined;
  /** The logs that are witnessed; several of one origin are keys of the same log. */
  readonly logs: readonly PolicyLog[];
  /** The witness's own, of type `cosignature`. */
  readonly key: SigningKey;
  /** Seconds since 1970. */
  readonly now: number;
}

/** What the witness answers. */
export type WitnessAnswer = WitnessRefusal | WitnessCosigned;

export interface WitnessRefusal {
  readonly status: 400 | 403 | 404 | 409 | 422;
  readonly body: string;
  /**
   * With 422: the checkpoint as the log signed it. Where it has the size of `state`, the two convict the log of a
   * fork; where it is larger, the log owes a proof that it may not be able to give.
   */
  readonly evidence?: string;
}

export interface WitnessCosigned {
  readonly status: 200;
  /** The cosignature, as a signature line. */
  readonly body: string;
  /**
   * The checkpoint with the log's signatures and the cosignature. It must be durable, in the place of exactly
   * the `state` that was decided from, before the body leaves: two answers out of one state can vouch for a
   * fork.
   */
  readonly newState: string;
}

/**
 * Decide whether to cosign a checkpoint: only what a known log signed and what grew out of the checkpoint that
 * was cosigned before.
 *
 * Errors  those of a note and of a checkpoint where `state` is not what was kept; nothing may be answered then
 *         but a failure, since to go on as if nothing had been seen would let the log fork.
 * Source  C2SP tlog-witness, "add-checkpoint", whose order of checks this follows.
 */
export function witnessCheckpoint({ request, state, logs, key, now }: Witnessing): WitnessAnswer {
  checkInteger(now, { name: 'now', min: 1 });
  const { note, checkpoint, oldSize } = request;
  const keys = logs.map((log) => log.key).filter(({ name }) => name === checkpoint.origin);
  if (keys.length === 0) return refuse(404, 'this witness does not know the log');
  const signatures = signaturesOf(request, keys);
  if (!signatures) return refuse(403, 'no known key of the log signed this');
  if (oldSize > checkpoint.size) return refuse(400, 'the old size is larger than that of the checkpoint');

  const last = state === undefined ? undefined : readState(state, checkpoint.origin);
  if (oldSize !== (last?.size ?? 0)) return { status: 409, body: formatWitnessSize(last?.size ?? 0) };
  const problem = problemOf(request, last);
  if (problem !== undefined) {
    return { ...refuse(422, problem), evidence: formatNote({ text: note.text, signatures }) };
  }

  const cosignature = cosign(note, { key, timestamp: now });
  return {
    status: 200,
    body: formatSignature(cosignature),
    newState: formatNote({ text: note.text, signatures: [...signatures, cosignature] }),
  };
}

/** One signature of each known key, or nothing where none signed or one does not hold. */
function signaturesOf({ note }: AddCheckpoint, keys: readonly VerifierKey[]): NoteSignature[] | undefined {
  try {
    return verifyNote(note, keys).flatMap(
      ({ key }) => note.signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId) ?? [],
    );
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}

function readState(state: string, origin: string): Checkpoint {
  const checkpoint = parseCheckpoint(parseNote(state).text);
  if (checkpoint.origin === origin) return checkpoint;
  throw new TlogError('bad_checkpoint', 'the state of the witness is that of another log');
}

/** Why the checkpoint does not follow the last one, whose size is the old size; nothing where it does. */
function problemOf({ checkpoint, oldSize, proof }: AddCheckpoint, last?: Checkpoint): string | undefined {
  if (checkpoint.size === 0 && !equalBytes(checkpoint.root, emptyRoot)) {
    return 'the root is not that of an empty tree';
  }
  if (!last || oldSize === 0) {
    return proof.length === 0 ? undefined : 'from size 0 the consistency proof is empty';
  }
  try {
    verifyConsistency({ from: last, to: checkpoint, proof });
    return undefined;
  } catch (error) {
    if (error instanceof TlogError) return error.message;
    throw error;
  }
}

function refuse(status: WitnessRefusal['status'], message: string): WitnessRefusal {
  return { status, body: `${message}\n` };
}

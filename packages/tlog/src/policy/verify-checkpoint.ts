import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts';
import type { SignedNote } from '../note/signed-note.ts';
import type { VerifierKey } from '../note/verifier-key.ts';
import { verifyNote } from '../note/verify-note.ts';
import { TlogError } from '../tlog-error.ts';
import { meetsQuorum, type Policy, type PolicyWitness } from './policy.ts';

/** A checkpoint that a policy accepts, and who vouched for it. */
export interface VerifiedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Keys of the log that signed. */
  readonly logKeys: readonly VerifierKey[];
  readonly cosignatures: readonly WitnessCosignature[];
}

export interface WitnessCosignature {
  readonly witness: PolicyWitness;
  /** When the witness says that it saw the checkpoint, in seconds since 1970. */
  readonly timestamp: number;
}

/**
 * Check that a log of the policy signed a checkpoint and that enough witnesses cosigned it.
 *
 * Errors  `log_unknown` for an origin that the policy does not list; `signature_missing` where none of its
 *         keys signed; `signature_invalid` where a signature of any known key does not hold;
 *         `quorum_missing`; `bad_checkpoint` for another text.
 * Source  C2SP tlog-policy; tlog-proof, "Verifying a tlog proof".
 */
export function verifyCheckpoint(note: SignedNote, policy: Policy): VerifiedCheckpoint {
  const checkpoint = parseCheckpoint(note.text);
  const logs = policy.logs.filter(({ key }) => key.name === checkpoint.origin);
  if (logs.length === 0) throw new TlogError('log_unknown', 'the policy lists no log of this origin');
  const keys = [...logs, ...policy.witnesses].map(({ key }) => key);
  const timestamps = new Map(verifyNote(note, keys).map(({ key, timestamp }) => [key, timestamp]));

  const logKeys = logs.map(({ key }) => key).filter((key) => timestamps.has(key));
  if (logKeys.length === 0) throw new TlogError('signature_missing', 'the log did not sign the checkpoint');
  const cosignatures = policy.witnesses.flatMap((witness) => {
    const timestamp = timestamps.get(witness.key);
    return timestamp === undefined ? [] : [{ witness, timestamp }];
  });
  if (!meetsQuorum(policy.quorum, new Set(cosignatures.map(({ witness }) => witness)))) {
    throw new TlogError('quorum_missing', 'too few witnesses of the policy cosigned the checkpoint');
  }
  return { checkpoint, logKeys, cosignatures };
}

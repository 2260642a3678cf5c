import { parseCheckpoint } from '../note/checkpoint.ts';
import { parseNote } from '../note/signed-note.ts';
import { type VerifierKey, verifierKey } from '../note/verifier-key.ts';
import { verifyNote } from '../note/verify-note.ts';
import { meetsQuorum, type Policy } from '../policy/policy.ts';
import { verifyCheckpoint, type WitnessCosignature } from '../policy/verify-checkpoint.ts';
import { TlogError } from '../tlog-error.ts';
import type { TreeHead } from '../tree/verify-inclusion.ts';
import type { BundleLog } from './lines.ts';

/** A checkpoint whose signatures were looked at. */
export interface TrustedCheckpoint extends TreeHead {
  readonly origin: string;
  /** Keys of the log that signed. */
  readonly keys: readonly VerifierKey[];
  readonly cosignatures: readonly WitnessCosignature[];
  /** Whether as many witnesses cosigned as the policy asks for. */
  readonly quorum: boolean;
}

/** The origin of the first epoch of a log: those of later ones have `/e2` and so on behind it. */
export function baseOrigin({ epoch, origin }: Pick<BundleLog, 'epoch' | 'origin'>): string {
  return epoch > 1 && origin.endsWith(`/e${epoch}`) ? origin.slice(0, -`/e${epoch}`.length) : origin;
}

/**
 * The policy of one tenant's logs: who trusts a key for the log of one epoch trusts it for those of all. C2SP
 * tlog-policy lets a policy name a public key once only, so that it could not list them all.
 */
export function policyOfEpochs(
  policy: Policy,
  epochs: readonly Pick<BundleLog, 'epoch' | 'origin'>[],
): Policy {
  const [first] = epochs;
  const base = first && baseOrigin(first);
  const listed = policy.logs.filter(({ key: { name } }) => {
    return base !== undefined && name.startsWith(base) && /^(?:\/e[1-9]\d*)?$/.test(name.slice(base.length));
  });
  const logs = epochs.flatMap(({ origin: name }) =>
    listed.map(({ key: { type, publicKey } }) => ({ key: verifierKey({ name, type, publicKey }) })),
  );
  return { ...policy, logs };
}

/**
 * Read a checkpoint that a log of the policy signed; the quorum is told, not asked for.
 *
 * Errors  of `verifyCheckpoint` but `quorum_missing`, and of `parseNote`.
 */
export function readCheckpoint(note: string, policy: Policy): TrustedCheckpoint {
  const { checkpoint, logKeys, cosignatures } = verifyCheckpoint(parseNote(note), {
    ...policy,
    quorum: { kind: 'none' },
  });
  const { origin, size, root } = checkpoint;
  const quorum = meetsQuorum(policy.quorum, new Set(cosignatures.map(({ witness }) => witness)));
  return { origin, size, root, keys: logKeys, cosignatures, quorum };
}

/** The text of a checkpoint that nobody vouches for yet. */
export function readUntrusted(note: string): { readonly origin: string } & TreeHead {
  return parseCheckpoint(parseNote(note).text);
}

/** Which of these keys, under the name of the log, signed a checkpoint: none where one of their signatures does not hold. */
export function signersOf(note: string, publicKeys: readonly Uint8Array[]): VerifierKey[] {
  const { origin: name } = readUntrusted(note);
  const keys = publicKeys.map((publicKey) => verifierKey({ name, type: 'ed25519', publicKey }));
  try {
    return verifyNote(parseNote(note), keys).map(({ key }) => key);
  } catch (error) {
    if (error instanceof TlogError) return [];
    throw error;
  }
}

import type { VerifierKey } from '../note/verifier-key.ts';

/** Which logs and witnesses a verifier trusts, and how many witnesses it asks for (C2SP tlog-policy). */
export interface Policy {
  /** Where logs are known from elsewhere the file names none; add them before verifying. */
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  readonly quorum: Quorum;
}

export interface PolicyLog {
  /** Its name is the origin of the log's checkpoints. */
  readonly key: VerifierKey;
  readonly url?: string;
}

export interface PolicyWitness {
  /** What the policy calls it; it means nothing outside. */
  readonly name: string;
  readonly key: VerifierKey;
  readonly url?: string;
}

/** What must have cosigned a checkpoint: nothing, one witness, or so many members of a group. */
export type Quorum = { readonly kind: 'none' } | QuorumMember;

export type QuorumMember =
  | { readonly kind: 'witness'; readonly witness: PolicyWitness }
  | {
      readonly kind: 'group';
      readonly name: string;
      readonly threshold: number;
      readonly members: readonly QuorumMember[];
    };

/** Whether these witnesses are enough. */
export function meetsQuorum(quorum: Quorum, cosigned: ReadonlySet<PolicyWitness>): boolean {
  if (quorum.kind === 'none') return true;
  if (quorum.kind === 'witness') return cosigned.has(quorum.witness);
  return quorum.members.filter((member) => meetsQuorum(member, cosigned)).length >= quorum.threshold;
}

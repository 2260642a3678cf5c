import type { VerifierKey } from '../note/verifier-key.ts';
import type { Policy } from '../policy/policy.ts';
import { TlogError } from '../tlog-error.ts';
import { readCheckpoint, readUntrusted, signersOf, type TrustedCheckpoint } from './checkpoints.ts';
import type { FindingList } from './findings.ts';
import { isEarly, type Rotation } from './log-records.ts';

/** Judges who signed the checkpoints of one log. */
export interface Trust {
  /** Undefined where no key of the policy signed, or a signature does not hold; findings say so by the end. */
  judge(note: string): TrustedCheckpoint | undefined;
  /** With what the log says of its keys, when all of it has passed by. */
  finish(rotations: readonly Rotation[]): void;
}

export interface TrustOptions {
  readonly epoch: number;
  readonly policy: Policy;
  readonly findings: FindingList;
}

/** A checkpoint that no key of the policy signed; a key that the log itself names may have. */
interface Unknown {
  readonly note: string;
  readonly message: string;
}

/** What is looked at again at the end is kept until then. */
const unknownMax = { count: 10_000, length: 4_096 } as const;

export function createTrust({ epoch, policy, findings }: TrustOptions): Trust {
  const unknown: Unknown[] = [];
  const firstSizes = new Map<VerifierKey, number>();
  const refuse = (message: string) => findings.add('checkpoint_untrusted', { message, epoch });
  return {
    judge: (note) => {
      try {
        const trusted = readCheckpoint(note, policy);
        const { size, keys } = trusted;
        for (const key of keys) firstSizes.set(key, Math.min(firstSizes.get(key) ?? size, size));
        return trusted;
      } catch (error) {
        if (!(error instanceof TlogError)) throw error;
        const isUnknown = error.reason === 'signature_missing' || error.reason === 'log_unknown';
        const fits = note.length <= unknownMax.length && unknown.length < unknownMax.count;
        if (isUnknown && fits) unknown.push({ note, message: error.message });
        else refuse(error.message);
        return undefined;
      }
    },
    finish: (rotations) => {
      const announced = rotations.flatMap(({ old, new: key }) => [key, ...(old ? [old] : [])]);
      const publicKeys = announced.map(({ publicKey }) => publicKey);
      for (const { note, message } of unknown) {
        const signers = signersOf(note, publicKeys);
        const { size } = readUntrusted(note);
        if (signers.length === 0) refuse(message);
        for (const key of signers) firstSizes.set(key, Math.min(firstSizes.get(key) ?? size, size));
      }
      for (const [key, size] of firstSizes) {
        if (!isEarly(key, { epoch, size }, rotations)) continue;
        const message = `a key signed at ${size} entries, before the log announced it`;
        findings.add('key_unannounced', { message, epoch });
      }
    },
  };
}

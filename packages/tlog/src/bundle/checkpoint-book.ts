import type { Policy } from '../policy/policy.ts';
import { TlogError } from '../tlog-error.ts';
import type { TreeHead } from '../tree/verify-inclusion.ts';
import { readCheckpoint, readUntrusted, type TrustedCheckpoint } from './checkpoints.ts';
import type { FindingList } from './findings.ts';
import { quote } from './json-fields.ts';
import { type BundleLog, bundleLimits } from './lines.ts';
import type { Rotation } from './log-records.ts';
import type { ExpectedHead } from './log-walk.ts';
import { createTrust } from './trust.ts';

/** The checkpoints of one log, those of the bundle and those that the auditor kept. */
export interface CheckpointBook {
  /** One of the bundle's, oldest to newest. Errors: `too_large` for too many. */
  add(note: string): void;
  /** One that the auditor kept of this log. */
  hold(note: string): void;
  /** What the tree must come to at which sizes. */
  expected(): ExpectedHead[];
  readonly newest: TreeHead | undefined;
  readonly count: number;
  /** When the whole log has passed by: who vouches for its newest checkpoint. */
  finish(rotations: readonly Rotation[]): TrustedCheckpoint | undefined;
}

export interface CheckpointBookOptions {
  readonly log: BundleLog;
  /** That of `policyOfEpochs`. */
  readonly policy: Policy;
  readonly findings: FindingList;
}

interface Judged {
  readonly head: TreeHead;
  readonly trusted: TrustedCheckpoint | undefined;
}

export function createCheckpointBook({ log, policy, findings }: CheckpointBookOptions): CheckpointBook {
  const { epoch } = log;
  const trust = createTrust({ epoch, policy, findings });
  const heads: ExpectedHead[] = [];
  let count = 0;
  let newest: Judged | undefined;
  let anyQuorum = false;
  return {
    get newest() {
      return newest?.head;
    },
    get count() {
      return count;
    },
    add: (note) => {
      count += 1;
      if (count > bundleLimits.checkpointsMax) {
        throw new TlogError('too_large', `a log has at most ${bundleLimits.checkpointsMax} checkpoints`);
      }
      const head = readHead(note, { log, findings });
      if (!head) return;
      const onMismatch = (message: string) => findings.add('checkpoint_mismatch', { message, epoch });
      if (newest && head.size <= newest.head.size) {
        onMismatch(`a checkpoint at ${head.size} entries stands behind one at ${newest.head.size}`);
      }
      heads.push({ ...head, onMismatch, onBeyond: onMismatch });
      newest = { head, trusted: trust.judge(note) };
      anyQuorum ||= newest.trusted?.quorum ?? false;
    },
    hold: (note) => {
      const held = readHeld(note, { log, policy, findings });
      if (held) heads.push(held);
    },
    expected: () => heads,
    finish: (rotations) => {
      trust.finish(rotations);
      checkNewest({ log, newest, anyQuorum, findings });
      return newest?.trusted;
    },
  };
}

function readHead(note: string, { log, findings }: Omit<CheckpointBookOptions, 'policy'>) {
  const { epoch, origin } = log;
  try {
    const head = readUntrusted(note);
    if (head.origin === origin) return head;
    findings.add('checkpoint_mismatch', {
      message: `a checkpoint is of the log ${quote(head.origin)}`,
      epoch,
    });
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    findings.add('checkpoint_untrusted', { message: error.message, epoch });
  }
  return undefined;
}

function readHeld(note: string, { log, policy, findings }: CheckpointBookOptions): ExpectedHead | undefined {
  const { epoch } = log;
  try {
    const { size, root } = readCheckpoint(note, policy);
    return {
      size,
      root,
      onMismatch: (message) => findings.add('held_checkpoint_mismatch', { message, epoch }),
      onBeyond: (message) => findings.add('held_checkpoint_beyond', { message, epoch }),
    };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    findings.add('held_checkpoint_untrusted', { message: error.message, epoch });
    return undefined;
  }
}

interface Newest {
  readonly log: BundleLog;
  readonly newest: Judged | undefined;
  readonly anyQuorum: boolean;
  readonly findings: FindingList;
}

/** Everything hangs on the last checkpoint: a key of the policy must have signed it, and enough witnesses. */
function checkNewest({ log: { epoch, size }, newest, anyQuorum, findings }: Newest): void {
  if (newest?.head.size !== size) {
    findings.add('checkpoint_missing', { message: `the log has no checkpoint at ${size} entries`, epoch });
  } else if (!newest.trusted) {
    const message = 'no key of the policy signed the newest checkpoint of the log';
    findings.add('checkpoint_untrusted', { message, epoch });
  } else if (!newest.trusted.quorum) {
    const message = anyQuorum
      ? 'too few witnesses of the policy cosigned the newest checkpoint yet; they did an older one'
      : 'too few witnesses of the policy cosigned the checkpoints of the log';
    findings.add(anyQuorum ? 'quorum_awaited' : 'quorum_missing', { message, epoch });
  }
}

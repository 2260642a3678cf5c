import {
  Activity,
  AnnalsError,
  type ProcedureInput,
  type ProcedureName,
  type ProcedureOutput,
  type ProofResult,
  procedures,
} from '@annals/contract';
import {
  type Checkpoint,
  decodeBase64,
  decodeOpenings,
  isOriginOf,
  type Opening,
  type Policy,
  parseCheckpoint,
  parseNote,
  parsePolicy,
  policyOfEpochs,
  type RebuiltEntry,
  rebuildEntry,
  type SignedNote,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '@annals/tlog';
import type { VerifyOptions, VerifyReport } from './verify.ts';
import { VerifyError, type VerifyReason } from './verify-error.ts';
import { reportOf } from './verify-report.ts';

/** What proofs are asked of. */
export type Ask = <Name extends ProcedureName>(
  name: Name,
  input: ProcedureInput<Name>,
) => Promise<ProcedureOutput<Name>>;

export interface Verifying extends VerifyOptions {
  readonly ask: Ask;
  /** As it was read, or its id, to read it first. */
  readonly activity: Activity | string;
}

/**
 * Check that an activity is what was committed when it was stored, and that it stands in the log that the policy
 * trusts. The server is asked for the proof, and believed nothing.
 *
 * Errors  VerifyError where it does not hold; `invalid_input` naming `policy`, `checkpoint` or `activity` for what
 *         cannot be read; `not_signed` while no checkpoint covers the activity; those of any call.
 */
export async function verifyActivity({ ask, ...verifying }: Verifying): Promise<VerifyReport> {
  const policy = readArgument('policy', () => parsePolicy(verifying.policy));
  const kept = keptCheckpoint(verifying.checkpoint, policy);
  const activity = await readActivity(verifying.activity, ask);
  const proof = check('integrity.proof', await ask('integrity.proof', { id: activity.id }));
  const signed = refuse('untrusted', () =>
    verifySigned(parseNote(proof.note), { policy, epoch: proof.epoch }),
  );
  const { checkpoint } = signed;
  expectTenant(checkpoint.origin, { tenantId: activity.tenantId, epoch: proof.epoch });
  const entry = rebuild(activity, proof);
  refuse('missing', () =>
    verifyInclusion({
      ...checkpoint,
      index: proof.index,
      leafHash: entry.leaf,
      proof: proof.hashes.map(decodeBase64),
    }),
  );
  if (kept) await expectContinued({ kept, checkpoint, epoch: proof.epoch, ask });
  return reportOf({ activity, proof, signed, entry });
}

/** What the caller gave, and not the server. */
function readArgument<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const message = error instanceof Error ? error.message : 'cannot be read';
    throw new AnnalsError({ code: 'invalid_input', message, path }, { cause: error });
  }
}

/** Run a check of tlog, which throws where it does not hold. */
function refuse<T>(reason: VerifyReason, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new VerifyError(reason, error instanceof Error ? error.message : 'refused', { cause: error });
  }
}

function check<Name extends ProcedureName>(name: Name, answer: unknown): ProcedureOutput<Name> {
  const { data, error } = procedures[name].output.safeParse(answer);
  if (error) throw new VerifyError('malformed', `the answer of ${name} is none`, { cause: error });
  return data as ProcedureOutput<Name>;
}

/** A note that is kept is trusted no further than the policy goes: it may be as forged as any other. */
function keptCheckpoint(note: string | undefined, policy: Policy): Checkpoint | undefined {
  if (note === undefined) return undefined;
  const parsed = readArgument('checkpoint', () => parseNote(note));
  readArgument('checkpoint', () => parseCheckpoint(parsed.text));
  const [, epoch = '1'] = /^.*\/e([1-9]\d*)\n/.exec(parsed.text) ?? [];
  return refuse('untrusted', () => verifySigned(parsed, { policy, epoch: Number(epoch) })).checkpoint;
}

/** Who trusts a key for one epoch of a log trusts it for all, as with bundles: a policy lists it once only. */
function verifySigned(note: SignedNote, { policy, epoch }: { policy: Policy; epoch: number }) {
  const { origin } = parseCheckpoint(note.text);
  return verifyCheckpoint(note, policyOfEpochs(policy, [{ epoch, origin }]));
}

async function readActivity(activity: Activity | string, ask: Ask): Promise<Activity> {
  if (typeof activity === 'string') {
    const found = check('activity.get', await ask('activity.get', { id: activity }));
    if (found.id === activity.toLowerCase()) return found;
    throw new VerifyError('malformed', 'another activity was answered');
  }
  const { data, error } = Activity.safeParse(activity);
  if (data) return data;
  // Of a field that no commitment covers, nothing could be said.
  const path = ['activity', ...(error.issues[0]?.path ?? [])].join('.');
  throw new AnnalsError({ code: 'invalid_input', message: 'must be as it was read', path }, { cause: error });
}

/** The entry does not name the tenant: its log does. */
function expectTenant(origin: string, log: { tenantId: string; epoch: number }): void {
  if (!isOriginOf(origin, log)) throw new VerifyError('untrusted', 'the proof is that of another tenant');
}

function rebuild(activity: Activity, proof: ProofResult): RebuiltEntry {
  const occurredMs = Number.parseInt(activity.id.slice(0, 8) + activity.id.slice(9, 13), 16);
  if (occurredMs !== activity.occurredAt.getTime()) {
    throw new VerifyError('changed', 'the time of the activity is not that of its id');
  }
  const opening = refuse('malformed', () => openingIn(proof));
  if (!opening) {
    throw new VerifyError('changed', 'nothing leads from the activity to its entry: it was changed');
  }
  const entry = refuse('changed', () => rebuildEntry({ ...activity, own: proof.own }, opening));
  const leaf = refuse('malformed', () => decodeBase64(proof.leaf));
  if (entry.leaf.every((byte, at) => byte === leaf[at])) return entry;
  throw new VerifyError(
    'changed',
    'the activity is not the one that the log holds; was it erased from since?',
  );
}

function openingIn({ seed, openings }: ProofResult): Opening | undefined {
  if (seed !== undefined) return { seed: decodeBase64(seed) };
  return openings === undefined ? undefined : { openings: decodeOpenings(decodeBase64(openings)) };
}

interface Continued {
  readonly kept: Checkpoint;
  readonly checkpoint: Checkpoint;
  readonly epoch: number;
  readonly ask: Ask;
}

async function expectContinued({ kept, checkpoint, epoch, ask }: Continued): Promise<void> {
  if (kept.origin !== checkpoint.origin) {
    throw new VerifyError('rewritten', 'the checkpoint kept is of another log, or of another epoch of it');
  }
  if (kept.size > checkpoint.size) {
    throw new VerifyError('rewritten', 'the log has fewer entries than in the checkpoint kept');
  }
  // Every log goes on from the empty one.
  if (kept.size === 0) return;
  const input = { epoch, from: kept.size, to: checkpoint.size };
  const { hashes } = check('integrity.consistency', await ask('integrity.consistency', input));
  refuse('rewritten', () =>
    verifyConsistency({ from: kept, to: checkpoint, proof: hashes.map(decodeBase64) }),
  );
}

import { equalBytes } from '../bytes.ts';
import { parseVerifierKey, type VerifierKey } from '../note/verifier-key.ts';
import { TlogError } from '../tlog-error.ts';
import type { TreeHead } from '../tree/verify-inclusion.ts';
import { readUntrusted } from './checkpoints.ts';
import type { ListedManifest, Place } from './manifests.ts';
import { isRequest, type OwnRecord, requestActions } from './own-record.ts';

/** How old the request or the end of a run may be to account for a manifest that is not sealed. */
const requestAgeMsMax = 48 * 3_600_000;

/** Runs that have not ended; beyond that further ones are not remembered. */
const runsMax = 100_000;

/** What Annals' own records of the log say about requests and keys. */
export interface LogRecords {
  add(record: OwnRecord, place: Place): void;
  /** Whether a run of this kind was requested or ended lately, or has not ended. */
  hasRequest(kind: ListedManifest['kind'], nowMs: number): boolean;
  readonly rotations: readonly Rotation[];
}

/** A key that the log announced. */
export interface Rotation extends Place {
  readonly old: VerifierKey | undefined;
  readonly new: VerifierKey;
}

const rotationsMax = 10_000;

export function createLogRecords(): LogRecords {
  const newestMs = { erasure: Number.NEGATIVE_INFINITY, purge: Number.NEGATIVE_INFINITY };
  const running = { erasure: createRuns(), purge: createRuns() };
  const rotations: Rotation[] = [];
  return {
    rotations,
    add: ({ action, recordedMs, targetId, metadata }, place) => {
      if (isRequest(action)) {
        const { kind, opens } = requestActions[action];
        if (targetId !== undefined) running[kind].note(targetId, opens);
        // A run can last for days, and lists what it removes to its end.
        newestMs[kind] = Math.max(newestMs[kind], recordedMs);
      }
      if (action !== 'annals.log_key_rotated' || rotations.length === rotationsMax) return;
      const announced = keyOf(metadata['newKey']);
      if (announced) rotations.push({ ...place, old: keyOf(metadata['oldKey']), new: announced });
    },
    hasRequest: (kind, nowMs) => running[kind].any() || newestMs[kind] > nowMs - requestAgeMsMax,
  };
}

/** Runs that have not ended. The log is in no order of time: an end can stand before its request. */
function createRuns() {
  const halves = new Map<string, 'requested' | 'ended'>();
  let requested = 0;
  return {
    note: (id: string, opens: boolean) => {
      const half = opens ? 'requested' : 'ended';
      const other = halves.get(id);
      if (other === half || (other === undefined && halves.size === runsMax)) return;
      if (other === undefined) halves.set(id, half);
      else halves.delete(id);
      if (opens && other === undefined) requested += 1;
      if (!opens && other === 'requested') requested -= 1;
    },
    any: () => requested > 0,
  };
}

function keyOf(value: unknown): VerifierKey | undefined {
  if (typeof value !== 'string') return undefined;
  return unlessMalformed(() => parseVerifierKey(value));
}

/** What the record that opens an epoch says of what came before. */
export interface Opening {
  /** Where the epoch before ends; undefined where nothing of it is left. */
  readonly cited?: { readonly origin: string } & TreeHead;
  /** What had been signed last. */
  readonly signed?: { readonly epoch: number; readonly size: number };
}

/** Undefined for any other record. */
export function readOpening(record: OwnRecord | undefined): Opening | undefined {
  if (record?.action !== 'annals.epoch_opened') return undefined;
  const { checkpoint, signedEpoch: epoch, signedSize: size } = record.metadata;
  const cited = typeof checkpoint === 'string' ? unlessMalformed(() => readUntrusted(checkpoint)) : undefined;
  if (checkpoint !== undefined && !cited) return undefined;
  const isSigned = typeof epoch === 'number' && typeof size === 'number';
  return { ...(cited && { cited }), ...(isSigned && { signed: { epoch, size } }) };
}

/** Whether a key signed a log at a size at which the log had not announced it yet. */
export function isEarly(
  key: VerifierKey,
  signed: { readonly epoch: number; readonly size: number },
  rotations: readonly Rotation[],
): boolean {
  const announced = rotations.filter((each) => equalBytes(each.new.publicKey, key.publicKey));
  return (
    announced.length > 0 &&
    !announced.some(
      ({ epoch, index }) => epoch < signed.epoch || (epoch === signed.epoch && index < signed.size),
    )
  );
}

function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}

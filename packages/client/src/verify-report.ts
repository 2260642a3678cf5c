import { type Activity, formatPath, type ProofResult } from '@annals/contract';
import { fixedSlots, type RebuiltEntry, type RebuiltSlot, type VerifiedCheckpoint } from '@annals/tlog';
import type { VerifyReport } from './verify.ts';

/** What led from an activity to a signed checkpoint. */
export interface Proved {
  readonly activity: Activity;
  readonly proof: ProofResult;
  readonly signed: VerifiedCheckpoint;
  readonly entry: RebuiltEntry;
}

export function reportOf({ activity, proof, signed, entry }: Proved): VerifyReport {
  const namesOf = (...states: RebuiltSlot['state'][]) =>
    entry.slots.filter(({ state }) => states.includes(state)).map(nameOf);
  return {
    id: activity.id,
    origin: signed.checkpoint.origin,
    index: proof.index,
    size: signed.checkpoint.size,
    own: proof.own,
    verified: [...coreNames(activity), ...namesOf('open').filter((name) => name !== 'core')],
    withheld: namesOf('withheld'),
    erased: [...new Set(namesOf('gone', 'replaced'))],
    witnesses: signed.cosignatures.map(({ witness, timestamp }) => ({
      name: witness.name,
      cosignedAt: new Date(timestamp * 1_000),
    })),
    note: proof.note,
  };
}

/** What the header of an entry, its core slot and the name of its log hold. */
function coreNames({ operation, target }: Activity): string[] {
  const always = 'id tenantId occurredAt recordedAt action kind severity outcome visibility actor.type';
  return [
    ...always.split(' '),
    ...(operation === undefined ? [] : ['operation']),
    ...(target === undefined ? [] : ['target.type']),
  ];
}

/** Of a key that is gone, not even the name is left. */
function nameOf({ number, shown }: RebuiltSlot): string {
  const name = shown?.name ?? fixedSlots[number] ?? (number >= 512 ? 'details' : 'metadata');
  if (shown?.key !== undefined) return `${name}.${formatPath([shown.key])}`;
  return number >= fixedSlots.length ? `${name}.*` : name;
}

/**
 * Whether something found makes a bundle `invalid`, or leaves it `pending`: true so far, and to be looked at again.
 * A `notice` is true, and stands in the log for all to see.
 */
export type Severity = 'invalid' | 'pending' | 'notice';

/** Everything that verification can find, by code. */
export const findingCodes = {
  /** A line is not as the format has it. Nothing behind it was checked. */
  bundle_malformed: 'invalid',
  /** The end is missing. */
  bundle_truncated: 'invalid',
  /** No key of the policy signed a checkpoint, or a signature does not hold. */
  checkpoint_untrusted: 'invalid',
  /** A log has no checkpoint at its size. */
  checkpoint_missing: 'invalid',
  /** The tree has another root at a checkpoint's size, or the checkpoint is of another log. */
  checkpoint_mismatch: 'invalid',
  /** No checkpoint of a log was cosigned by as many witnesses as the policy asks for. */
  quorum_missing: 'invalid',
  /** An older checkpoint was, the newest was not yet. */
  quorum_awaited: 'pending',
  held_checkpoint_untrusted: 'invalid',
  /** The tree does not extend a checkpoint that the auditor kept. */
  held_checkpoint_mismatch: 'invalid',
  /** The bundle ends before a checkpoint that the auditor kept. */
  held_checkpoint_beyond: 'invalid',
  /** The bundle has no log that a checkpoint of the auditor's is of. */
  held_checkpoint_unknown: 'invalid',
  /** A record is not one that can have been logged. */
  record_malformed: 'invalid',
  /** A record is not the one that the log committed to. */
  record_mismatch: 'invalid',
  /** Several records stand at one index. */
  record_repeated: 'invalid',
  /** What a record says beside its entry does not fit: its tenant, or when it occurred. */
  record_contradicts: 'invalid',
  /** Something of a record has gone, or its seed has, and no manifest lists it. */
  erasure_unexplained: 'invalid',
  /** Other slots than listed have gone, or what is left was changed since. */
  erasure_mismatch: 'invalid',
  /** Listed as erased, but all there. */
  erasure_not_done: 'invalid',
  /** Listed as purged, but there. */
  purge_not_done: 'invalid',
  /** No record, and no manifest that lists it as purged. */
  index_unexplained: 'invalid',
  /** The log seals a manifest that the bundle does not have. */
  manifest_missing: 'invalid',
  /** A manifest is not the one that the log sealed. */
  manifest_mismatch: 'invalid',
  /** Manifests do not stand in the order in which they were sealed. */
  manifest_order: 'invalid',
  /** A manifest that explains something is not sealed yet. */
  manifest_open: 'pending',
  /** A manifest is not sealed, and no recent request in the log would account for it. */
  request_missing: 'invalid',
  /** A key signed a checkpoint before the log announced it. */
  key_unannounced: 'invalid',
  /** A later epoch does not begin with a record that cites the end of the one before. */
  epoch_unlinked: 'invalid',
  /** The record that opens an epoch says that what was signed before has been lost. */
  entries_lost: 'notice',
  /** What a receipt promised is not in the log. */
  receipt_missing: 'invalid',
  /** The activity of a receipt stands in the log as another one than was receipted. */
  receipt_mismatch: 'invalid',
  /** A receipt is newer than the bundle. */
  receipt_newer: 'pending',
} as const satisfies Record<string, Severity>;

export type FindingCode = keyof typeof findingCodes;

/** All findings of one code: how many there are, and the first of them. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly count: number;
  readonly first: readonly FindingPlace[];
}

/** Where something was found, and a sentence about it. */
export interface FindingPlace {
  readonly message: string;
  readonly epoch?: number | undefined;
  /** In the log of that epoch. */
  readonly index?: number | undefined;
  /** Of the bundle, from 1. */
  readonly line?: number | undefined;
}

const firstMax = 20;

export interface FindingList {
  add(code: FindingCode, place: FindingPlace, count?: number): void;
  has(severity: Severity): boolean;
  list(): Finding[];
}

/** Counts all and keeps the first 20 of each code, however many a bundle gives rise to. */
export function createFindings(): FindingList {
  const found = new Map<FindingCode, { count: number; first: FindingPlace[] }>();
  return {
    add: (code, place, count = 1) => {
      const kept = found.get(code) ?? { count: 0, first: [] };
      found.set(code, kept);
      kept.count += count;
      if (kept.first.length < firstMax) kept.first.push(place);
    },
    has: (severity) => found.keys().some((code) => findingCodes[code] === severity),
    list: () =>
      Array.from(found, ([code, { count, first }]) => ({
        code,
        severity: findingCodes[code],
        count,
        first,
      })).toSorted((a, b) => codes.indexOf(a.code) - codes.indexOf(b.code)),
  };
}

const codes = Object.keys(findingCodes) as FindingCode[];

import { type HashMemory, hashMemory } from '../sha256/hash-memory.ts';
import { TlogError } from '../tlog-error.ts';
import {
  type EntryBatch,
  emptyMark,
  hashAt,
  hashBatch,
  markBatch,
  openBatch,
  rewindBatch,
} from './entry-batch.ts';
import { type RebuiltEntry, rebuildEntry } from './rebuild-entry.ts';
import { type Disclosure, type StagedEntry, stageEntry } from './stage-entry.ts';
import { OutputFull } from './write-value.ts';

/** What of a rebuilt entry is compared with the log and its manifests. */
export type RebuiltLeaf = Pick<RebuiltEntry, 'leaf' | 'erased'>;

/**
 * What `rebuildEntry` computes, for many records: their leaf hashes, or the errors with which it refuses them, in
 * their order. Four messages are hashed at once where the platform has vectors.
 */
export function rebuildEntries(
  disclosures: readonly Disclosure[],
  memory: HashMemory = hashMemory(),
): (RebuiltLeaf | TlogError)[] {
  const batch = openBatch(memory);
  const rebuilt: (RebuiltLeaf | TlogError)[] = [];
  try {
    while (rebuilt.length < disclosures.length) {
      const staged = stageSome(batch, disclosures, rebuilt.length);
      hashBatch(batch);
      for (const entry of staged) rebuilt.push('leafAt' in entry ? readStaged(batch, entry) : entry);
      rewindBatch(batch, emptyMark);
    }
  } finally {
    rewindBatch(batch, emptyMark);
  }
  return rebuilt;
}

/** As many as fit, and one at least. */
function stageSome(batch: EntryBatch, disclosures: readonly Disclosure[], first: number) {
  const staged: (StagedEntry | RebuiltLeaf | TlogError)[] = [];
  for (let at = first; at < disclosures.length; at += 1) {
    const disclosure = disclosures[at] as Disclosure;
    const mark = markBatch(batch);
    try {
      staged.push(stageEntry(batch, disclosure));
    } catch (error) {
      rewindBatch(batch, mark);
      if (error instanceof OutputFull && staged.length > 0) break;
      staged.push(rebuildAlone(disclosure));
    }
  }
  return staged;
}

/** Larger than a batch, or refused: the definition says what it is, and why. */
function rebuildAlone({ record, opening }: Disclosure): RebuiltLeaf | TlogError {
  try {
    const { leaf, erased } = rebuildEntry(record, opening);
    return { leaf, ...(erased && { erased }) };
  } catch (error) {
    if (error instanceof TlogError) return error;
    throw error;
  }
}

function readStaged(batch: EntryBatch, { leafAt, erased }: StagedEntry): RebuiltLeaf {
  const leaf = hashAt(batch, leafAt);
  return erased ? { leaf, erased: { slots: erased.slots, rest: hashAt(batch, erased.restAt) } } : { leaf };
}

import type { HashMemory } from '../sha256/hash-memory.ts';
import { TlogError } from '../tlog-error.ts';
import { type EntryBatch, hashAt } from './entry-batch.ts';
import { inBatches } from './in-batches.ts';
import { type RebuiltEntry, rebuildEntry } from './rebuild-entry.ts';
import { type Disclosure, type StagedEntry, stageEntry } from './stage-entry.ts';

/** What of a rebuilt entry is compared with the log and its manifests. */
export type RebuiltLeaf = Pick<RebuiltEntry, 'leaf' | 'erased'>;

/**
 * What `rebuildEntry` computes, for many records: their leaf hashes, or the errors with which it refuses them, in
 * their order. Four messages are hashed at once where the platform has vectors.
 */
export function rebuildEntries(
  disclosures: readonly Disclosure[],
  memory?: HashMemory,
): (RebuiltLeaf | TlogError)[] {
  return inBatches(disclosures, { stage: stageEntry, read: readStaged, alone: rebuildAlone }, memory);
}

/** The definition says what it is, or why it is refused. */
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

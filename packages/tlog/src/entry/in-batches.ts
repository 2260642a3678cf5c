import { type HashMemory, hashMemory } from '../sha256/hash-memory.ts';
import { type EntryBatch, emptyMark, hashBatch, markBatch, openBatch, rewindBatch } from './entry-batch.ts';
import { OutputFull } from './write-value.ts';

/** What is done with each of many items, whose messages are hashed together. */
export interface BatchWork<Item, Staged, Result> {
  /** Write its messages. Whatever it throws, the item is then done alone. */
  readonly stage: (batch: EntryBatch, item: Item) => Staged;
  /** Once they are hashed. */
  readonly read: (batch: EntryBatch, staged: Staged) => Result;
  /** Without a batch: larger than one, or refused. */
  readonly alone: (item: Item) => Result;
}

type Begun<Staged, Result> = { readonly staged: Staged } | { readonly result: Result };

/** The results of all items, in their order. */
export function inBatches<Item, Staged, Result>(
  items: readonly Item[],
  work: BatchWork<Item, Staged, Result>,
  memory: HashMemory = hashMemory(),
): Result[] {
  const batch = openBatch(memory);
  const results: Result[] = [];
  try {
    while (results.length < items.length) {
      const begun = begin(batch, { items, from: results.length }, work);
      hashBatch(batch);
      for (const each of begun) results.push('staged' in each ? work.read(batch, each.staged) : each.result);
      rewindBatch(batch, emptyMark);
    }
  } catch (error) {
    rewindBatch(batch, emptyMark, 'unfinished');
    throw error;
  }
  return results;
}

/** As many as fit, and one at least. */
function begin<Item, Staged, Result>(
  batch: EntryBatch,
  { items, from }: { readonly items: readonly Item[]; readonly from: number },
  { stage, alone }: BatchWork<Item, Staged, Result>,
): Begun<Staged, Result>[] {
  const begun: Begun<Staged, Result>[] = [];
  for (let at = from; at < items.length; at += 1) {
    const item = items[at] as Item;
    const mark = markBatch(batch);
    try {
      begun.push({ staged: stage(batch, item) });
    } catch (error) {
      rewindBatch(batch, mark, 'unfinished');
      if (error instanceof OutputFull && begun.length > 0) break;
      begun.push({ result: alone(item) });
    }
  }
  return begun;
}

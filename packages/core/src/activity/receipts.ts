import type { Batch, LogItem } from '@annals/contract';
import { encodeBase64, hashBytes } from '@annals/tlog';
import type { CoveredBatch } from '../log/await-checkpoint.ts';
import type { NewBatch } from './new-batch.ts';

type StoredItem = Extract<LogItem, { status: 'stored' }>;
type Receipt = Pick<StoredItem, 'recordedAt' | 'batchId' | 'position' | 'leaf' | 'index' | 'proof'>;

/** The receipts of a batch, by the id of the activity; with proofs where a checkpoint covers it. */
export function receiptsOf(batch: NewBatch, covered?: CoveredBatch): (id: string) => Receipt {
  return (id) => {
    const position = batch.positions.get(id) as number;
    const inclusion = covered?.inclusionAt(position);
    return {
      recordedAt: batch.recordedAt,
      batchId: batch.id,
      position,
      leaf: batch.leaves.toString('base64', position * hashBytes, (position + 1) * hashBytes),
      ...(inclusion && { index: inclusion.index, proof: inclusion.hashes.map(encodeBase64) }),
    };
  };
}

/** What the log promises of a batch. */
export function promiseOf({ id, activities, root }: NewBatch, covered?: CoveredBatch): Batch {
  return {
    id,
    size: activities.length,
    root: root.toString('base64'),
    ...(covered && { checkpoint: covered.note }),
  };
}

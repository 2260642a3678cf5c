import type { Tx } from '../database/database.ts';
import { copiedColumns, encodeRows } from './encode-rows.ts';
import type { NewBatch } from './new-batch.ts';
import { partitionRanges } from './partitions.ts';

const columns = copiedColumns.join(', ');

/** A part of a batch, for the partition that it belongs to. */
export interface EncodedPart {
  readonly statement: string;
  readonly rows: Buffer;
}

/** A batch as it is copied into each partition that it touches. */
export function encodeBatch(batch: NewBatch): EncodedPart[] {
  return partitionRanges(batch.activities).map(({ partition, ...range }) => ({
    statement: `copy annals.${partition} (${columns}) from stdin (format binary)`,
    rows: encodeRows(batch, range),
  }));
}

/** Copy a batch. Fails, as the driver tells it, when an id is taken: a transaction can then only be undone. */
export async function copyActivities(tx: Tx, parts: readonly EncodedPart[]): Promise<void> {
  for (const { statement, rows } of parts) await tx.copy(statement, rows);
}

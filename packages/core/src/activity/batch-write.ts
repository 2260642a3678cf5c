import { escapeLiteral } from 'pg';
import type { TenantWrite, WriteStep } from '../database/one-trip.ts';
import { copiedColumns, encodeRows } from './encode-rows.ts';
import type { NewBatch } from './new-batch.ts';
import { partitionRanges } from './partitions.ts';

const columns = copiedColumns.join(', ');

/** How a batch is written: copied into each partition that it touches, and its own row. */
export function batchWrite(batch: NewBatch): TenantWrite {
  return { tenantId: batch.tenantId, steps: [...copySteps(batch), batchRowStep(batch)] };
}

export function copySteps(batch: NewBatch): WriteStep[] {
  return partitionRanges(batch.activities).map(({ partition, ...range }) => ({
    text: `copy annals.${partition} (${columns}) from stdin (format binary)`,
    rows: encodeRows(batch, range),
  }));
}

/** The row of a batch. All values but the tenant's name are made here, of digits and letters. */
export function batchRowStep({ tenantId, id, activities, recordedAt, root, leaves }: NewBatch): WriteStep {
  return {
    text: `insert into annals.batch
      (tenant_id, id, size, recorded_at, first_occurred_at, last_occurred_at, root, leaves)
      values (${escapeLiteral(tenantId)}, '${id}', ${activities.length}, ${moment(recordedAt)},
        ${moment(activities.at(0)?.occurredAt)}, ${moment(activities.at(-1)?.occurredAt)},
        ${bytes(root)}, ${bytes(leaves)})`,
  };
}

function moment(date: Date | undefined): string {
  return `'${date?.toISOString()}'`;
}

function bytes(value: Buffer): string {
  return `decode('${value.toString('hex')}', 'hex')`;
}

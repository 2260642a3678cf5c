import { saltBytes } from '@annals/tlog';
import {
  beginCopy,
  beginRow,
  type CopyWriter,
  endCopy,
  writeBoolean,
  writeBytes,
  writeInteger,
  writeJson,
  writeMoment,
  writeNull,
  writeRaw,
  writeText,
  writeTexts,
  writeUuid,
} from '../database/copy-writer.ts';
import { fieldColumns, valueAt } from './columns.ts';
import type { NewBatch } from './new-batch.ts';
import type { NewActivity } from './prepare.ts';

/** The columns of `encodeRows`, in its order: first those that are the same for a whole batch. */
export const copiedColumns: readonly string[] = [
  'tenant_id',
  'batch_id',
  'recorded_at',
  'own',
  'position',
  'seed',
  'occurred_at',
  'tags',
  'metadata',
  'details',
  ...fieldColumns.map(({ column }) => column),
];

/** Room for a record of usual size; a larger one makes the buffer grow. */
const rowBytes = 1_536;

/** A range of positions of a batch. */
export interface Range {
  readonly from: number;
  /** The first that is not in it. */
  readonly to: number;
}

/** Some of a batch's activities as rows for COPY in its binary form. */
export function encodeRows(batch: NewBatch, { from, to }: Range): Buffer {
  const writer = beginCopy((to - from) * rowBytes);
  const start = writer.at;
  writeCommon(writer, batch);
  const common = Buffer.from(writer.bytes.subarray(start, writer.at));
  writer.at = start;
  for (let position = from; position < to; position += 1) {
    writeRaw(writer, common);
    writeInteger(writer, position);
    writeBytes(writer, batch.seeds.subarray(position * saltBytes, (position + 1) * saltBytes));
    writeActivity(writer, batch.activities[position] as NewActivity);
  }
  return endCopy(writer);
}

function writeCommon(writer: CopyWriter, batch: NewBatch): void {
  beginRow(writer, copiedColumns.length);
  writeText(writer, batch.tenantId);
  writeUuid(writer, batch.id);
  writeMoment(writer, batch.recordedAt);
  writeBoolean(writer, batch.own);
}

function writeActivity(writer: CopyWriter, activity: NewActivity): void {
  writeMoment(writer, activity.occurredAt);
  writeTexts(writer, activity.tags);
  writeJson(writer, activity.metadata);
  if (activity.details) writeJson(writer, activity.details);
  else writeNull(writer);
  for (const { path, type } of fieldColumns) {
    const value = valueAt(activity, path);
    if (value === undefined) writeNull(writer);
    else if (type === 'uuid') writeUuid(writer, value);
    else writeText(writer, value);
  }
}

import { createHash, randomInt } from 'node:crypto';
import { v7 } from 'uuid';

/** When the activity of a UUIDv7 occurred: the id carries the time, so a lookup by id meets one partition. */
export function timeOfId(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/** No record is of this moment or later: `activity` has no such partition. */
export const endOfTime = new Date('9999-12-01T00:00:00.000Z');

/** Mints ids that keep the order of the calls within one millisecond. */
export function createIdMinter(): (occurredAt: Date) => string {
  let seq = randomInt(2 ** 31);
  return (occurredAt) => v7({ msecs: occurredAt.getTime(), seq: seq++ });
}

/** The id that a caller's key stands for: the same for ever, in every process and release. */
export function deriveId(tenantId: string, key: string, occurredAt: Date): string {
  const random = createHash('sha256').update(`${tenantId}\0${key}`).digest();
  return v7({ msecs: occurredAt.getTime(), random });
}

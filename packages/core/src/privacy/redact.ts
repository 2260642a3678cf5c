import { limits } from '@annals/contract';
import { sql } from 'kysely';
import { every } from '../activity/where.ts';
import { type JobCursor, withMonths } from '../job/job-cursor.ts';
import { type AfterChunk, type Chunk, chunkSize, type JobWork } from '../job/job-work.ts';
import { eraseNext } from './erase-next.ts';
import { countUntil, type Key, moment } from './examine.ts';
import { type RedactRequest, readRedactRequest } from './redact-request.ts';
import { redactRow } from './redact-row.ts';

interface Cursor extends JobCursor {
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly after?: Key | undefined;
}

/**
 * Erase fields of the records that a filter selects.
 *
 * A redacted record may no longer match the filter, so the selection is never taken twice: the walk meets each
 * record once, in the order of time, decides by the filter then, and commits its place with what it has
 * erased. A run that goes on after a kill therefore selects what an undisturbed one would have. What was
 * recorded after the plan was applied is left alone.
 */
export const redact: JobWork = async (chunk) => {
  const cursor = chunk.cursor as Cursor | null;
  return cursor === null ? begin(chunk) : redactChunk(chunk, cursor);
};

async function begin({ tx, services, result }: Chunk): Promise<AfterChunk> {
  const until = services.clock.now().getTime() + limits.clockSkewMsMax;
  const cursor: Cursor = { months: [], until };
  return { done: 0, total: await countUntil(tx, until), cursor, result, ended: false };
}

async function redactChunk({ tx, job, services, ...chunk }: Chunk, cursor: Cursor): Promise<AfterChunk> {
  const { fields, where } = readRedactRequest(tx, chunk.request as RedactRequest);
  const { examined, last, result, changed, manifestId } = await eraseNext(tx, {
    ...cursor,
    wanted: every([where, sql`recorded_at <= ${moment(job.createdAt.getTime())}`]),
    erase: (row) => redactRow(row, fields),
    result: chunk.result,
    clock: services.clock,
    holds: chunk.holds,
  });
  const next: Cursor = { months: withMonths(cursor.months, changed), until: cursor.until, after: last };
  return {
    done: chunk.done + examined,
    total: chunk.total,
    cursor: next,
    result,
    ended: examined < chunkSize,
    manifestId,
  };
}

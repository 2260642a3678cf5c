import type { JobResult } from '@annals/contract';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import type { ActiveHolds } from '../hold/active-holds.ts';
import type { JobCursor } from './job-cursor.ts';
import type { JobRow } from './to-job.ts';

/** Where a run stands; all of it is committed with the work that led there. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** Null before the first chunk. */
  readonly cursor: JobCursor | null;
  readonly result: JobResult;
}

export interface Chunk extends Progress {
  readonly services: Services;
  /** As the custodian; holds the job's row locked. */
  readonly tx: Tx;
  readonly job: JobRow;
  /** What they match stays as it is. But for the first chunk, no other comes to be before the transaction ends. */
  readonly holds: ActiveHolds;
  /** What the plan said that the run needs to know. */
  readonly request: object;
}

/** After a chunk; `ended` when nothing is left to do. */
export interface AfterChunk extends Progress {
  readonly cursor: JobCursor;
  readonly ended: boolean;
  /** The manifest that lists what the chunk removed; absent where it removed nothing. */
  readonly manifestId?: string | undefined;
}

/**
 * One kind of job: does the next chunk within the transaction given, and says where the run stands then. What
 * it does outside that transaction can happen twice.
 */
export type JobWork = (chunk: Chunk) => Promise<AfterChunk>;

/** How many activities a chunk examines: some 10 ms of work, so that nobody waits for it. */
export const chunkSize = 1_000;

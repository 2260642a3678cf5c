import { randomBytes } from 'node:crypto';
import { type JobResult, limits } from '@annals/contract';
import { residualInHolds } from '../hold/residual-in-holds.ts';
import { type JobCursor, withMonths } from '../job/job-cursor.ts';
import { type AfterChunk, type Chunk, chunkSize, type JobWork } from '../job/job-work.ts';
import { createTally } from '../plan/tally.ts';
import { anonymizeRow } from './anonymize-row.ts';
import { eraseNext } from './erase-next.ts';
import { countUntil, examine, type Key, readRows } from './examine.ts';
import { type AnonymizeRequest, createPerson, type Person } from './person.ts';
import { residualInPlansAndJobs } from './residual.ts';
import { placesOf } from './row-texts.ts';
import { canConcern } from './wanted.ts';

interface Cursor extends JobCursor {
  /** First every activity is examined and erased, then every one is scanned for what is left. */
  readonly phase: 'erase' | 'scan';
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly after?: Key | undefined;
}

/**
 * Erase a person from the tenant's activities.
 *
 * It walks all of them in the order of time, up to the latest time that a record could have when the run began.
 * What arrives meanwhile is erased too where the walk has not been yet. The residual scan then walks them
 * again: whatever it finds, as records that arrived behind the walk, stands in the result.
 */
export const anonymize: JobWork = async (chunk) => {
  const request = chunk.request as AnonymizeRequest;
  const cursor = chunk.cursor as Cursor | null;
  if (cursor === null) return begin(chunk, request);
  const person = createPerson(request);
  return cursor.phase === 'erase'
    ? eraseChunk(chunk, { cursor, person })
    : scanChunk(chunk, { cursor, person });
};

async function begin({ tx, services, result }: Chunk, { mode }: AnonymizeRequest): Promise<AfterChunk> {
  const until = services.clock.now().getTime() + limits.clockSkewMsMax;
  const cursor: Cursor = { phase: 'erase', months: [], until };
  return {
    done: 0,
    total: 2 * (await countUntil(tx, until)),
    cursor,
    // Kept with the job, so that a run that goes on after a kill uses the same.
    result: mode === 'pseudonymize' ? { ...result, pseudonym: mintPseudonym() } : result,
    ended: false,
  };
}

/** 128 random bits: nobody can find the person from it. */
function mintPseudonym(): string {
  return `p_${randomBytes(16).toString('base64url')}`;
}

interface Walk {
  readonly cursor: Cursor;
  readonly person: Person;
}

async function eraseChunk({ tx, services, ...chunk }: Chunk, { cursor, person }: Walk): Promise<AfterChunk> {
  const { after, until } = cursor;
  const { pseudonym } = chunk.result;
  const { examined, last, result, changed, manifestId } = await eraseNext(tx, {
    after,
    until,
    wanted: canConcern(person),
    erase: (row) => anonymizeRow(row, { person, pseudonym }),
    result: chunk.result,
    clock: services.clock,
    holds: chunk.holds,
  });
  const months = withMonths(cursor.months, changed);
  const next: Cursor =
    examined < chunkSize ? { phase: 'scan', months, until } : { phase: 'erase', months, until, after: last };
  return {
    done: chunk.done + examined,
    total: chunk.total,
    cursor: next,
    result,
    ended: false,
    manifestId,
  };
}

async function scanChunk({ tx, ...chunk }: Chunk, { cursor, person }: Walk): Promise<AfterChunk> {
  const { after, until } = cursor;
  const { examined, last, wanted } = await examine(tx, {
    after,
    until,
    limit: chunkSize,
    wanted: canConcern(person),
  });
  const rows = await readRows(tx, wanted);
  const places = rows.flatMap((row) => placesOf(row, person));
  const ended = examined < chunkSize;
  const scanned: Cursor = { ...cursor, after: last };
  if (ended) places.push(...(await residualInPlansAndJobs(tx, { person, planId: chunk.job.planId })));
  if (ended) places.push(...(await residualInHolds(tx, person)));
  return {
    done: chunk.done + examined,
    total: chunk.total,
    cursor: scanned,
    result: withResidual(chunk.result, places),
    ended,
  };
}

function withResidual(result: JobResult, found: readonly string[]): JobResult {
  const { matches, places } = result.residual ?? { matches: 0, places: [] };
  const tally = createTally(places);
  for (const name of found) tally.add(name);
  return { ...result, residual: { matches: matches + found.length, places: tally.counts() } };
}

import { sql } from 'kysely';
import { epochMs } from '../activity/row.ts';
import { every } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { withoutHeld } from '../hold/without-held.ts';
import { type JobCursor, withMonths } from '../job/job-cursor.ts';
import { type AfterChunk, type Chunk, chunkSize, type JobWork } from '../job/job-work.ts';
import { openManifest } from '../manifest/open-manifest.ts';
import { createTally } from '../plan/tally.ts';
import { countUntil, examine, type Key, moment } from '../privacy/examine.ts';
import { countedColumns } from '../rollup/add-counts.ts';
import { forgetMonth } from '../rollup/forget-month.ts';
import { type CountedRow, lockRollups, recount } from '../rollup/recount.ts';
import { type Cutoff, expiredBy, latestExpired, type RetentionRequest } from './expiry.ts';
import { type Looked, lookAt } from './look-at.ts';
import { dashed } from './plan-retention.ts';
import { countExpired, findDroppable, surveyExpired } from './survey-expired.ts';

interface Month {
  /** As 202601. */
  readonly month: string;
  readonly expected: number;
  /** Its records by policy, in the order of the cutoffs. */
  readonly byPolicy: readonly number[];
}

interface Cursor extends JobCursor {
  /** Still to be dropped whole, before the rest is removed record by record. */
  readonly drop: readonly Month[];
  /** How far the log had come before it was looked what to drop. */
  readonly looked: Looked;
  /** The holds that were active when it was decided what to drop. */
  readonly holds: readonly string[];
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly after?: Key | undefined;
}

/**
 * Remove what has expired by the cutoffs of the plan.
 *
 * Months of which nothing is to stay are dropped whole, the others walked in the order of time. What was
 * recorded after the plan was applied is left alone, so that a run that goes on after a kill removes what an
 * undisturbed one would have.
 */
export const purge: JobWork = async (chunk) => {
  const cursor = chunk.cursor as Cursor | null;
  const { cutoffs } = chunk.request as RetentionRequest;
  if (cursor === null) return begin(chunk, cutoffs);
  const [month, ...drop] = cursor.drop;
  return month ? dropMonth(chunk, { month, cursor: { ...cursor, drop } }) : purgeChunk(chunk, cursor);
};

async function begin(
  { tx, services, job, holds, result }: Chunk,
  cutoffs: readonly Cutoff[],
): Promise<AfterChunk> {
  const until = latestExpired(cutoffs);
  const recordedUntil = job.createdAt.getTime();
  const looked = await lookAt(tx);
  const { groups } = await surveyExpired(tx, { cutoffs, recordedUntil, holds });
  const droppable = await findDroppable(tx, { groups, cutoffs, holds, now: services.clock.now() });
  const drop = droppable.map((month): Month => {
    const ofMonth = groups.filter((group) => group.month === month);
    const byPolicy = cutoffs.map((_, index) => ofMonth.find(({ policy }) => policy === index)?.count ?? 0);
    return { month, expected: countExpired(ofMonth), byPolicy };
  });
  const counts = cutoffs.map(({ policy }) => ({ name: policy.name, count: 0 }));
  const cursor: Cursor = { drop, looked, holds: holds.all.map(({ id }) => id), months: [], until };
  return {
    done: 0,
    total: await countUntil(tx, until),
    cursor,
    result: { ...result, counts, partitionsDropped: [] },
    ended: false,
  };
}

/**
 * Nothing else is read or written of activities in this transaction: it needs them to itself, and would wait
 * for ever for another that holds some of them and wants the same. It has them for a moment only, however many go:
 * what takes longer comes before.
 */
async function dropMonth(
  { tx, services, holds, request, result, done, total }: Chunk,
  { month, cursor }: { readonly month: Month; readonly cursor: Cursor },
): Promise<AfterChunk> {
  // One created since may match any of it, and looking is not for this transaction.
  if (holds.all.some(({ id }) => !cursor.holds.includes(id))) {
    return { done, total, cursor, result, ended: false };
  }
  const { cutoffs } = request as RetentionRequest;
  const manifestId = await openManifest(tx, { kind: 'purge', clock: services.clock });
  // Whoever counts holds it while it reads activities.
  await lockRollups(tx);
  const dropped = await dropPartition(tx, { month: month.month, looked: cursor.looked, manifestId });
  // Something has come in, or somebody else would have to wait: its records are removed with the others.
  if (!dropped) return { done, total, cursor, result, ended: false };
  const tally = createTally(result.counts);
  for (const [index, count] of month.byPolicy.entries()) tally.add(nameOf(cutoffs, index), count);
  return {
    done: done + month.expected,
    total,
    cursor,
    result: {
      ...result,
      changed: result.changed + month.expected,
      counts: tally.counts(),
      partitionsDropped: [...(result.partitionsDropped ?? []), dashed(month.month)],
    },
    ended: false,
    manifestId,
  };
}

interface Drop {
  /** As 202601. */
  readonly month: string;
  readonly looked: Looked;
  readonly manifestId: string;
}

/** With its counts, before the activities are locked for it. */
async function dropPartition(tx: Tx, { month, looked, manifestId }: Drop): Promise<boolean> {
  const { epoch, size, unsequenced } = looked;
  await tx.query(sql`savepoint drop_partition`);
  await forgetMonth(tx, month);
  const [row] = await tx.query(sql<{ dropped: boolean }>`
    select annals.drop_activity_partition(${`activity_${month}`}, ${tx.tenantId},
      ${epoch}::int, ${size}::bigint, ${unsequenced}::uuid[], ${manifestId}) as dropped`);
  const dropped = row?.dropped === true;
  await tx.query(dropped ? sql`release savepoint drop_partition` : sql`rollback to savepoint drop_partition`);
  return dropped;
}

async function purgeChunk(
  { tx, job, services, holds, request, result, ...chunk }: Chunk,
  cursor: Cursor,
): Promise<AfterChunk> {
  const { cutoffs } = request as RetentionRequest;
  const { examined, last, wanted } = await examine(tx, {
    after: cursor.after,
    until: cursor.until,
    limit: chunkSize,
    wanted: every([
      sql`${expiredBy(cutoffs)} is not null`,
      sql`recorded_at <= ${moment(job.createdAt.getTime())}`,
    ]),
  });
  const { free, held } = await withoutHeld(tx, holds, wanted);
  const manifestId =
    free.length > 0 ? await openManifest(tx, { kind: 'purge', clock: services.clock }) : undefined;
  const removed = manifestId === undefined ? [] : await remove(tx, { keys: free, cutoffs, manifestId });
  const months = withMonths(
    cursor.months,
    free.map(({ at }) => at),
  );
  const next: Cursor = { ...cursor, months, after: last };
  const tally = createTally(result.counts);
  for (const index of removed) tally.add(nameOf(cutoffs, index));
  return {
    done: chunk.done + examined,
    total: chunk.total,
    cursor: next,
    result: {
      ...result,
      changed: result.changed + removed.length,
      held: result.held + held,
      counts: tally.counts(),
    },
    ended: examined < chunkSize,
    manifestId,
  };
}

interface Remove {
  readonly keys: readonly Key[];
  readonly cutoffs: readonly Cutoff[];
  readonly manifestId: string;
}

/** Remove records, and list them in the manifest. Returns the policies by which they went, one for each. */
async function remove(tx: Tx, { keys, cutoffs, manifestId }: Remove): Promise<number[]> {
  const [first, last] = [keys.at(0), keys.at(-1)];
  if (!first || !last) return [];
  const rows = await tx.query(sql<CountedRow & { policy: number }>`
    with removed as (
      delete from annals.activity
      where tenant_id = ${tx.tenantId} and occurred_at between ${moment(first.at)} and ${moment(last.at)}
        and id = any(${keys.map(({ id }) => id)}::uuid[])
      returning batch_id, position, ${epochMs(sql.ref('occurred_at'))} as occurred_ms, ${countedColumns},
        ${expiredBy(cutoffs)} as policy
    ), listed as (
      insert into annals.purge_item as i (tenant_id, manifest_id, batch_id, positions)
      select ${tx.tenantId}, ${manifestId}::uuid, batch_id, range_agg(int4range(position, position + 1))
      from removed group by batch_id
      on conflict (tenant_id, manifest_id, batch_id) do update set positions = i.positions + excluded.positions
    )
    select * from removed`);
  await recount(
    tx,
    rows.map((row) => ({ before: row })),
  );
  return rows.map(({ policy }) => policy);
}

function nameOf(cutoffs: readonly Cutoff[], index: number): string {
  return cutoffs[index]?.policy.name ?? '';
}

import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { moment } from '../privacy/examine.ts';
import { type Cutoff, expiredBy, latestExpired } from './expiry.ts';

/** The records of one month that one policy lets go, or that stay. */
export interface Group {
  /** As 202601, the name of its partition. */
  readonly month: string;
  /** In the order of the cutoffs; null for those that stay. */
  readonly policy: number | null;
  readonly count: number;
}

export interface SurveyOptions {
  readonly cutoffs: readonly Cutoff[];
  /** Milliseconds since 1970: what was recorded later stays. */
  readonly recordedUntil: number;
}

/** Count what has expired and what stays, of all that occurred early enough to have expired. */
export async function surveyExpired(tx: Tx, { cutoffs, recordedUntil }: SurveyOptions): Promise<Group[]> {
  if (cutoffs.length === 0) return [];
  return tx.query(sql<Group>`
    select month, policy, count(*)::float8 as count from (
      select to_char(occurred_at at time zone 'UTC', 'YYYYMM') as month,
        case when recorded_at <= ${moment(recordedUntil)} then ${expiredBy(cutoffs)} end as policy
      from annals.activity
      where tenant_id = ${tx.tenantId} and occurred_at <= ${moment(latestExpired(cutoffs))}
    ) as decided
    group by month, policy order by month, policy`);
}

export function countExpired(groups: readonly Group[]): number {
  return groups.reduce((sum, { policy, count }) => (policy === null ? sum : sum + count), 0);
}

/** The first expired ones, by their ids. */
export async function sampleExpired(tx: Tx, cutoffs: readonly Cutoff[], limit: number): Promise<string[]> {
  const rows = await tx.query(sql<{ id: string }>`
    select id from annals.activity
    where tenant_id = ${tx.tenantId} and occurred_at <= ${moment(latestExpired(cutoffs))}
      and ${expiredBy(cutoffs)} is not null
    order by occurred_at, id limit ${limit}`);
  return rows.map(({ id }) => id);
}

export interface FindDroppable {
  readonly groups: readonly Group[];
  readonly cutoffs: readonly Cutoff[];
  readonly now: Date;
}

/**
 * The months in whose partition every record has expired and is this tenant's, so that it can be dropped whole.
 * Dropping looks again. The current month's is being written to, and the survey saw only a part of the month
 * in which the last cutoff lies.
 */
export async function findDroppable(tx: Tx, { groups, cutoffs, now }: FindDroppable): Promise<string[]> {
  const end = monthAt(Math.min(now.getTime(), latestExpired(cutoffs)));
  const staying = new Set(groups.filter(({ policy }) => policy === null).map(({ month }) => month));
  const months = new Set(
    groups.map(({ month }) => month).filter((month) => month < end && !staying.has(month)),
  );
  if (months.size === 0) return [];
  const partitions = await tx.query(
    sql<{
      name: string;
    }>`select name from annals.sole_tenant_partitions(${tx.tenantId}) as name order by name`,
  );
  return partitions.map(({ name }) => name.slice(-6)).filter((month) => months.has(month));
}

function monthAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7).replace('-', '');
}

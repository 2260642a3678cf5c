import { type RawBuilder, sql } from 'kysely';
import { type Condition, every } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import type { ActiveHolds } from '../hold/active-holds.ts';
import { freeSuspects } from '../hold/free-suspects.ts';
import { createHeldTally, type HeldCounts } from '../hold/held-tally.ts';
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
  readonly holds: ActiveHolds;
}

/** What would go and what stays, the held ones among it. */
export interface ExpiredSurvey extends HeldCounts {
  readonly groups: readonly Group[];
}

/** Count what has expired and what stays, of all that occurred early enough to have expired. */
export async function surveyExpired(
  tx: Tx,
  { cutoffs, recordedUntil, holds }: SurveyOptions,
): Promise<ExpiredSurvey> {
  const held = createHeldTally(holds);
  if (cutoffs.length === 0) return { groups: [], ...held.counts() };
  const early = sql<boolean>`tenant_id = ${tx.tenantId} and occurred_at <= ${moment(latestExpired(cutoffs))}`;
  const policy = sql<
    number | null
  >`case when recorded_at <= ${moment(recordedUntil)} then ${expiredBy(cutoffs)} end`;
  let groups = await countGroups(tx, early, sql`case when not ${holds.canHold} then ${policy} end`);
  const where = every([early, sql`${policy} is not null`]);
  for await (const part of freeSuspects(tx, { holds, where, until: latestExpired(cutoffs), held })) {
    groups = letGo(groups, await countGroups(tx, part, policy));
  }
  return { groups, ...held.counts() };
}

async function countGroups(tx: Tx, where: Condition, policy: RawBuilder<number | null>): Promise<Group[]> {
  return tx.query(sql<Group>`
    select month, policy, count(*)::float8 as count from (
      select to_char(occurred_at at time zone 'UTC', 'YYYYMM') as month, ${policy} as policy
      from annals.activity where ${where}
    ) as decided
    group by month, policy order by month, policy`);
}

/** With these, that were counted among those that stay, among those that go. */
function letGo(groups: readonly Group[], going: readonly Group[]): Group[] {
  const counts = new Map(groups.map((group) => [keyOf(group), group]));
  const add = (group: Group) => {
    const count = (counts.get(keyOf(group))?.count ?? 0) + group.count;
    counts.set(keyOf(group), { ...group, count });
  };
  for (const group of going) {
    add(group);
    add({ ...group, policy: null, count: -group.count });
  }
  return [...counts.values()].filter(({ count }) => count > 0);
}

function keyOf({ month, policy }: Group): string {
  return `${month} ${policy}`;
}

export function countExpired(groups: readonly Group[]): number {
  return groups.reduce((sum, { policy, count }) => (policy === null ? sum : sum + count), 0);
}

export interface SampleExpired {
  readonly cutoffs: readonly Cutoff[];
  readonly holds: ActiveHolds;
  readonly limit: number;
}

/** The first ones that have expired and that no hold can match, by their ids. */
export async function sampleExpired(tx: Tx, { cutoffs, holds, limit }: SampleExpired): Promise<string[]> {
  const rows = await tx.query(sql<{ id: string }>`
    select id from annals.activity
    where tenant_id = ${tx.tenantId} and occurred_at <= ${moment(latestExpired(cutoffs))}
      and ${expiredBy(cutoffs)} is not null and not ${holds.canHold}
    order by occurred_at, id limit ${limit}`);
  return rows.map(({ id }) => id);
}

export interface FindDroppable {
  readonly groups: readonly Group[];
  readonly cutoffs: readonly Cutoff[];
  readonly holds: ActiveHolds;
  readonly now: Date;
}

/**
 * The months in whose partition every record has expired and is this tenant's, so that it can be dropped whole.
 * Dropping looks again. The current month's is being written to, and the survey saw only a part of the month
 * in which the last cutoff lies.
 */
export async function findDroppable(
  tx: Tx,
  { groups, cutoffs, holds, now }: FindDroppable,
): Promise<string[]> {
  // Dropping does not look at what holds match, so what is not held now must not come to be by another run.
  if (holds.growByErasure) return [];
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

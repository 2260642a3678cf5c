import { actionPrefix, limits, type RetentionPolicy } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { isErasable, isOwnRecord } from '../job/own-actions.ts';
import { moment } from '../privacy/examine.ts';

/** A policy with the moment before which it lets records go. */
export interface Cutoff {
  readonly policy: RetentionPolicy;
  /** Milliseconds since 1970, exclusive. */
  readonly before: number;
}

/** What a retention plan purges, fixed when it is made: later only what comes and goes makes a difference. */
export interface RetentionRequest {
  readonly cutoffs: readonly Cutoff[];
}

const dayMs = 86_400_000;

export function cutoffsAt(policies: readonly RetentionPolicy[], now: Date): Cutoff[] {
  return policies.map((policy) => ({ policy, before: now.getTime() - policy.keepDays * dayMs }));
}

/**
 * The number, from 0, of the policy by which a record has expired; null when it is kept.
 *
 * The first policy that matches decides, whether or not it lets the record go. Annals' own records are matched
 * only by a policy that names actions, and those that explain what a log lacks by none.
 */
export function expiredBy(cutoffs: readonly Cutoff[]): RawBuilder<number | null> {
  if (cutoffs.length === 0) return sql`null::int`;
  const decisions = cutoffs.map(({ policy, before }, index) => {
    const time = sql.ref(policy.since === 'recordedAt' ? 'recorded_at' : 'occurred_at');
    return sql`when ${matches(policy)} then case when ${time} < ${moment(before)} then ${index}::int end`;
  });
  return sql`(case when ${isErasable} then case ${sql.join(decisions, sql` `)} end end)`;
}

/** The latest time, in milliseconds since 1970, at which an expired record can have occurred. */
export function latestExpired(cutoffs: readonly Cutoff[]): number {
  return Math.max(0, ...cutoffs.map(({ before }) => before)) + limits.clockSkewMsMax;
}

function matches({ kinds, severities, actions }: RetentionPolicy): RawBuilder<boolean> {
  const conditions = [
    actions ? actionIsOne(actions) : sql`not ${isOwnRecord}`,
    ...(kinds ? [sql`kind = any(${kinds}::annals.activity_kind[])`] : []),
    ...(severities ? [sql`severity = any(${severities}::annals.activity_severity[])`] : []),
  ];
  return sql`(${sql.join(conditions, sql` and `)})`;
}

function actionIsOne(patterns: readonly string[]): RawBuilder<boolean> {
  const tests = patterns.map((pattern) => {
    const prefix = actionPrefix(pattern);
    return prefix === undefined ? sql`action = ${pattern}` : sql`starts_with(action, ${prefix})`;
  });
  return sql`(${sql.join(tests, sql` or `)})`;
}

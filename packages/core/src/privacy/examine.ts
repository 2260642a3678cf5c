import { type RawBuilder, sql } from 'kysely';
import { type ActivityRow, epochMs, rowColumns } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';

/** The place of one activity in the order of time. */
export interface Key {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly id: string;
}

export interface Examine {
  /** Only what comes after; absent at the beginning. */
  readonly after?: Key | undefined;
  /** Milliseconds since 1970, inclusive. */
  readonly until: number;
  /** How many activities to look at. */
  readonly limit: number;
  /** Which of them are wanted; columns without their table. */
  readonly wanted: RawBuilder<boolean>;
}

export interface Examined {
  readonly examined: number;
  /** The last one looked at, wanted or not; absent when there was none. */
  readonly last?: Key;
  readonly wanted: readonly Key[];
}

interface ExaminedRow {
  at: number;
  id: string;
  wanted: boolean | null;
  examined: number;
}

/**
 * Look at the next activities of the tenant in the order of `(occurred_at, id)`.
 *
 * The comparison of rows starts the index at the place; the one of times lets the planner leave out partitions.
 */
export async function examine(tx: Tx, { after, until, limit, wanted }: Examine): Promise<Examined> {
  const beyond = after
    ? sql`and occurred_at >= ${moment(after.at)} and (occurred_at, id) > (${moment(after.at)}, ${after.id}::uuid)`
    : sql``;
  const rows = await tx.query(sql<ExaminedRow>`
    with chunk as materialized (
      select occurred_at, id, (${wanted}) as wanted from annals.activity
      where tenant_id = ${tx.tenantId} and occurred_at <= ${moment(until)} ${beyond}
      order by occurred_at, id limit ${limit}
    ), ranked as (
      select *, count(*) over () as examined, row_number() over (order by occurred_at desc, id desc) as back
      from chunk
    )
    select ${epochMs(sql.ref('occurred_at'))} as at, id, wanted, examined::float8 as examined from ranked
    where wanted or back = 1 order by occurred_at, id`);
  const last = rows.at(-1);
  return {
    examined: last?.examined ?? 0,
    ...(last && { last: { at: last.at, id: last.id } }),
    wanted: rows.filter((row) => row.wanted === true).map(({ at, id }) => ({ at, id })),
  };
}

/** The records at these places, in order. */
export async function readRows(tx: Tx, keys: readonly Key[]): Promise<ActivityRow[]> {
  return tx.query(sql<ActivityRow>`select ${rowColumns} from annals.activity ${inOrder(tx, keys)}`);
}

/** A record with its place in the log and what its commitments are opened with. */
export type LockedRow = ActivityRow & {
  readonly batch_id: string;
  readonly position: number;
  readonly own: boolean;
  readonly seed: Buffer | null;
  readonly openings: Buffer | null;
};

/**
 * The records at these places, in order. Nobody else changes them until the transaction ends, and they come as
 * they are after whoever held them before.
 */
export async function lockRows(tx: Tx, keys: readonly Key[]): Promise<LockedRow[]> {
  return tx.query(sql<LockedRow>`
    select ${rowColumns}, batch_id, position, own, seed, openings from annals.activity
    ${inOrder(tx, keys)} for update`);
}

function inOrder(tx: Tx, keys: readonly Key[]): RawBuilder<unknown> {
  const [first, last] = [keys.at(0), keys.at(-1)];
  if (!first || !last) return sql`where false`;
  return sql`
    where tenant_id = ${tx.tenantId} and occurred_at between ${moment(first.at)} and ${moment(last.at)}
      and id = any(${keys.map(({ id }) => id)}::uuid[])
    order by occurred_at, id`;
}

/** How many activities there are until then. */
export async function countUntil(tx: Tx, until: number): Promise<number> {
  const [row] = await tx.query(sql<{ count: number }>`
    select count(*)::float8 as count from annals.activity
    where tenant_id = ${tx.tenantId} and occurred_at <= ${moment(until)}`);
  return row?.count ?? 0;
}

export function moment(ms: number): RawBuilder<Date> {
  return sql`${new Date(ms).toISOString()}::timestamptz`;
}

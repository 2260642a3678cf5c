import { type RawBuilder, sql } from 'kysely';
import type { Tx } from '../database/database.ts';

/** A place in the tenant's log: the next entry to be taken. */
export interface LogPlace {
  readonly epoch: number;
  readonly index: number;
}

/** Where a follower that has taken nothing stands. */
export const logStart: LogPlace = { epoch: 1, index: 0 };

/** How far the follower has come; at the start where it has taken nothing. */
export async function followerPlace(tx: Tx, name: string): Promise<LogPlace> {
  const [place] = await tx.query(selectPlace(tx, name));
  return place ?? logStart;
}

/** As `followerPlace`, locked until the transaction ends; undefined when somebody else works for the follower. */
export async function claimFollower(tx: Tx, name: string): Promise<LogPlace | undefined> {
  const [place] = await tx.query(sql<LogPlace>`${selectPlace(tx, name)} for update skip locked`);
  if (place) return place;
  return (await createFollower(tx, name)) ? logStart : undefined;
}

/** As `claimFollower`, but waits for whoever works for the follower, and sees where it has come to then. */
export async function lockFollower(tx: Tx, name: string): Promise<LogPlace> {
  await createFollower(tx, name);
  const [place] = await tx.query(sql<LogPlace>`${selectPlace(tx, name)} for update`);
  return place ?? logStart;
}

/** For who holds it locked. */
export async function moveFollower(tx: Tx, name: string, { epoch, index }: LogPlace): Promise<void> {
  await tx.query(sql`
    update annals.follower set epoch = ${epoch}, next_index = ${index}, moved_at = now()
    where tenant_id = ${tx.tenantId} and name = ${name}`);
}

/** Let every follower that has come beyond a place take what follows it again: its epoch has given that back. */
export async function rewindFollowers(tx: Tx, { epoch, index }: LogPlace): Promise<void> {
  await tx.query(sql`
    update annals.follower set next_index = ${index}, moved_at = now()
    where tenant_id = ${tx.tenantId} and epoch = ${epoch} and next_index > ${index}`);
}

/** That a batch of `annals.batch` stands in the log before a place. */
export function isBefore({ epoch, index }: LogPlace): RawBuilder<boolean> {
  return sql`(first_index is not null and (epoch, first_index) < (${epoch}::int, ${index}::bigint))`;
}

function selectPlace(tx: Tx, name: string): RawBuilder<LogPlace> {
  return sql`
    select epoch, next_index::float8 as index from annals.follower
    where tenant_id = ${tx.tenantId} and name = ${name}`;
}

/** Waits for another transaction that creates it, so that the two cannot both believe to be the first. */
async function createFollower(tx: Tx, name: string): Promise<boolean> {
  const { length } = await tx.query(sql`
    insert into annals.follower (tenant_id, name, epoch, next_index, moved_at)
    values (${tx.tenantId}, ${name}, ${logStart.epoch}, ${logStart.index}, now())
    on conflict do nothing returning 1`);
  return length === 1;
}

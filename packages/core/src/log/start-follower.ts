import { AnnalsError } from '@annals/contract';
import { sql } from 'kysely';
import type { Services } from '../context.ts';
import { describeFailure } from '../job/describe-failure.ts';
import { isAborted } from '../job/is-aborted.ts';
import { type Rounds, startRounds } from '../job/start-rounds.ts';
import { type Follower, followLog } from './follow-log.ts';

export interface FollowerOptions {
  /** How often it looks without being woken; 1 s unless told otherwise. */
  readonly pollMs?: number;
  /** The least time from one round to the next, which takes what has come together; 250 ms unless told otherwise. */
  readonly gatherMs?: number;
}

type FollowServices = Pick<Services, 'db' | 'log'>;

/** Of one round: the tenants whose logs have waited longest. */
const tenantsMax = 1_000;
const failurePauseMs = 1_000;
/** How long a tenant whose batches could not be taken is left alone. */
const refusedMs = 60_000;

/**
 * Take what comes into the logs of all tenants until `stop`: woken when a log has grown, here or in another process,
 * and looking by itself besides. Any number of processes may do so.
 *
 * A tenant whose batches cannot be taken is reported and left for a minute; the others go on. While the database
 * cannot be reached, it is waited for.
 */
export function startFollower(
  services: FollowServices,
  follower: Follower,
  { pollMs = 1_000, gatherMs = 250 }: FollowerOptions = {},
): Rounds {
  const refusals = new Map<string, number>();
  return startRounds({
    signals: services.db.signals,
    channel: 'annals_log',
    round: async ({ signal, pause, wait }) => {
      const begunMs = performance.now();
      const outcome = await followRound(services, { follower, refusals, signal });
      if (outcome === 'failed') await pause(failurePauseMs);
      else if (outcome === 'idle') await wait(pollMs);
      await pause(Math.max(0, begunMs + gatherMs - performance.now()));
    },
  });
}

interface Round {
  readonly follower: Follower;
  /** When which tenant's batches could not be taken, by `performance.now()`; the round keeps it. */
  readonly refusals: Map<string, number>;
  readonly signal: AbortSignal;
}

/** `moved`: there may be more. `failed`: the database cannot be reached. */
async function followRound(services: FollowServices, round: Round): Promise<'moved' | 'idle' | 'failed'> {
  let moved = false;
  try {
    const dueMs = performance.now() - refusedMs;
    for (const tenantId of await findBehind(services, round.follower)) {
      if (isAborted(round.signal)) break;
      if ((round.refusals.get(tenantId) ?? dueMs) > dueMs) continue;
      if ((await tryTenant(services, round, tenantId)) > 0) moved = true;
    }
  } catch (error) {
    services.log.warn(
      { follower: round.follower.name, ...describeFailure(error) },
      'cannot follow the logs; trying again',
    );
    return 'failed';
  }
  return moved ? 'moved' : 'idle';
}

async function findBehind(
  { db }: FollowServices,
  { name, patience = { activities: 0, ms: 0 } }: Follower,
): Promise<string[]> {
  const rows = await db.query(sql<{ id: string }>`
    select tenant_id as id from annals.find_behind(${name}, ${tenantsMax}, ${patience.activities},
      now() - ${patience.ms} * interval '1 millisecond')`);
  return rows.map(({ id }) => id);
}

/** Of each tenant one bite a round, so that a long log does not keep the others waiting. */
async function tryTenant(
  services: FollowServices,
  { follower, refusals }: Round,
  tenantId: string,
): Promise<number> {
  try {
    const taken = await followLog(services, { tenantId, follower });
    refusals.delete(tenantId);
    return taken;
  } catch (error) {
    if (error instanceof AnnalsError && error.code === 'unavailable') throw error;
    refusals.set(tenantId, performance.now());
    services.log.error(
      { tenantId, follower: follower.name, ...describeFailure(error) },
      'a follower of the log of a tenant stands still',
    );
    return 0;
  }
}

import { AnnalsError } from '@annals/contract';
import { sql } from 'kysely';
import type { Services } from '../context.ts';
import { describeFailure } from '../job/describe-failure.ts';
import { isAborted } from '../job/is-aborted.ts';
import { LogRefused } from './grow-log.ts';
import { sequence } from './sequence.ts';

/** Of one round: the tenants whose batches have waited longest. */
const tenantsMax = 1_000;
/** While the transaction of one log waits for the disk, those of others go on. */
const logsAtOnce = 4;
/** How long a log that was refused is left alone. */
const refusedMs = 60_000;

export interface Round {
  /** When which tenant's log was refused, by `performance.now()`; the round keeps it. */
  readonly refusals: Map<string, number>;
  readonly signal: AbortSignal;
}

/** `moved`: there may be more. `failed`: the database cannot be reached. */
export type RoundOutcome = 'moved' | 'idle' | 'failed';

/** One transaction for each tenant that has batches without a place in its log. */
export async function sequenceRound(
  services: Pick<Services, 'db' | 'clock' | 'log'>,
  { refusals, signal }: Round,
): Promise<RoundOutcome> {
  let outcome: RoundOutcome = 'idle';
  const work = async (tenants: Iterator<string>) => {
    for (let next = tenants.next(); !next.done; next = tenants.next()) {
      if (isAborted(signal) || outcome === 'failed') return;
      const added = await tryLog(services, { tenantId: next.value, refusals });
      if (added === 'failed') outcome = 'failed';
      else if (added > 0) outcome = 'moved';
    }
  };
  try {
    const dueMs = performance.now() - refusedMs;
    const tenants = (await findUnsequenced(services)).filter((id) => !((refusals.get(id) ?? dueMs) > dueMs));
    const each = tenants.values();
    await Promise.all(Array.from({ length: logsAtOnce }, () => work(each)));
  } catch (error) {
    services.log.warn(describeFailure(error), 'cannot look for what is to be sequenced; trying again');
    return 'failed';
  }
  return outcome;
}

async function findUnsequenced({ db }: Pick<Services, 'db'>): Promise<string[]> {
  const rows = await db.query(
    sql<{ id: string }>`select tenant_id as id from annals.find_unsequenced(${tenantsMax})`,
  );
  return rows.map(({ id }) => id);
}

interface OneLog {
  readonly tenantId: string;
  readonly refusals: Map<string, number>;
}

async function tryLog(
  services: Pick<Services, 'db' | 'clock' | 'log'>,
  { tenantId, refusals }: OneLog,
): Promise<number | 'failed'> {
  try {
    const added = await sequence(services, tenantId);
    refusals.delete(tenantId);
    return added;
  } catch (error) {
    if (error instanceof AnnalsError && error.code === 'unavailable') {
      services.log.warn({ tenantId, ...describeFailure(error) }, 'cannot sequence; trying again');
      return 'failed';
    }
    refusals.set(tenantId, performance.now());
    const why =
      error instanceof LogRefused
        ? { reason: error.message, batchId: error.batchId }
        : describeFailure(error);
    services.log.error({ tenantId, ...why }, 'the log of a tenant stands still: it cannot be sequenced');
    return 0;
  }
}

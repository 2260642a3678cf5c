import { hashBytes } from '@annals/tlog';
import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { emptyLog, growLog, type StoredBatch } from './grow-log.ts';
import { type Log, type LogRow, logColumns, newestLog, toLog } from './newest-log.ts';

/** Of one call: what it holds in memory, and how long it holds the log. */
const leavesMax = 16_384;
const batchesMax = 2_048;

/**
 * Give committed batches of a tenant their place in its log, in the order of their ids, and extend the log's tree:
 * one transaction, which is done as a whole or not at all.
 *
 * A batch that is committed late, after others with later ids, comes behind them. Any number of processes may call
 * this at once for one tenant: one does the work, and nobody waits, neither they nor those who write.
 *
 * Returns how many activities got their index; there may be more. 0 also when somebody else is at it.
 * Errors  `LogRefused` when what is stored contradicts itself: the log stays as it is, until that is repaired.
 *         `unavailable`.
 */
export async function sequence(services: Pick<Services, 'db' | 'clock'>, tenantId: string): Promise<number> {
  return services.db.transaction(
    tenantId,
    async (tx) => {
      const log = await claimLog(tx, services);
      if (!log) return 0;
      const batches = await nextBatches(tx);
      // A new epoch may have begun between the sight of this one and its lock.
      if (batches.some(({ newestEpoch }) => newestEpoch !== log.epoch)) return 0;
      return growLog(tx, services, { log, batches });
    },
    // Planning its statements takes several times what running them does, and it runs for each tenant again and again.
    { role: 'custodian', prepared: true, indexOrder: true },
  );
}

/** The newest log as it was seen, locked until the transaction ends; undefined when somebody else has it. */
async function claimLog(tx: Tx, { clock }: Pick<Services, 'clock'>): Promise<Log | undefined> {
  const [row] = await tx.query(sql<LogRow>`
    select ${logColumns} from annals.log
    where tenant_id = ${tx.tenantId}
      and epoch = (select max(epoch) from annals.log where tenant_id = ${tx.tenantId})
    for update skip locked`);
  if (row) return toLog(row);
  return (await newestLog(tx)) ? undefined : createLog(tx, clock.now());
}

async function createLog(tx: Tx, now: Date): Promise<Log | undefined> {
  const log = emptyLog(1, now);
  const { length } = await tx.query(sql`
    insert into annals.log (tenant_id, epoch, size, root, edge, sequenced_at)
    values (${tx.tenantId}, ${log.epoch}, 0, ${Buffer.from(log.root)}, '{}', ${now.toISOString()})
    on conflict do nothing returning 1`);
  return length === 1 ? log : undefined;
}

interface NextBatch extends StoredBatch {
  /** Of the tenant's logs, at the same time. */
  readonly newestEpoch: number;
}

/** As many as fit, and at least one. Their length is measured, since their size is only what they say. */
function nextBatches(tx: Tx): Promise<NextBatch[]> {
  return tx.query(sql<NextBatch>`
    select id, size, root, leaves,
      (select max(epoch) from annals.log where tenant_id = ${tx.tenantId}) as "newestEpoch"
    from (
      select id, size, root, leaves,
        sum(length(leaves)) over (order by id rows between unbounded preceding and 1 preceding) as before
      from (
        select id, size, root, leaves from annals.batch
        where tenant_id = ${tx.tenantId} and first_index is null order by id limit ${batchesMax}
      ) as first
    ) as measured
    where coalesce(before, 0) < ${leavesMax * hashBytes}
    order by id`);
}

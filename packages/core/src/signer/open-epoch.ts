import { AnnalsError, type JsonObject } from '@annals/contract';
import { encodeBase64, rootOf } from '@annals/tlog';
import { sql } from 'kysely';
import { ensureRecordPartition, recordActivity } from '../activity/record-activity.ts';
import type { Principal } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { rewindFollowers } from '../log/follower-place.ts';
import { emptyLog, growLog, type StoredBatch } from '../log/grow-log.ts';
import { findLog, type Log, type LogRow, logColumns, toLog } from '../log/newest-log.ts';
import { uncountFrom } from '../rollup/uncount-from.ts';
import { checkEdge, checkGrowth } from './check-growth.ts';
import { cutLog } from './cut-log.ts';
import { examineLog, originOf, originsUpTo, type Signing } from './examine-log.ts';
import { firstKeys } from './introduce-keys.ts';
import { type CheckpointRow, headOfCheckpoint, lastCheckpoint } from './last-checkpoint.ts';
import { publicKeysIn } from './note-signer.ts';
import { reopenBatches } from './reopen-batches.ts';
import { reasonOfRefusal, SigningRefused } from './signing-refused.ts';

const openedAction = 'annals.epoch_opened';

export interface OpenEpoch {
  readonly tenantId: string;
  /** Stands in the record as the one who did it. */
  readonly principal: Principal;
}

export interface OpenedEpoch {
  readonly epoch: number;
  readonly origin: string;
  /** Why the log was not signed any more. */
  readonly reason: string;
  /** The last checkpoint that what the database holds extends, which the new epoch cites. */
  readonly cited: { readonly epoch: number; readonly size: number } | undefined;
  /** Activities behind that checkpoint that are still there: they come into the new epoch. */
  readonly reopened: number;
}

/**
 * Open a new epoch of a log that does not extend what was signed, as after a restore that lost signed entries. The
 * old epoch ends with the last checkpoint that the database still bears out, and stays verifiable up to it; entry 0
 * of the new one is an activity that cites this checkpoint and says what was lost.
 *
 * Errors  `invalid_input` for a log that is as it was signed; `LogRefused` where its tiles are damaged.
 */
export async function openEpoch(signing: Signing, { tenantId, principal }: OpenEpoch): Promise<OpenedEpoch> {
  await ensureRecordPartition(signing.services);
  return signing.services.db.transaction(
    tenantId,
    async (tx) => {
      await tx.query(sql`select pg_advisory_xact_lock(hashtext('annals.sign'), hashtext(${tenantId}))`);
      const log = await lockLog(tx);
      const reason = await reasonToOpen(tx, signing);
      const cited = log && (await lastGoodCheckpoint(tx, signing, log));
      const reopened = log ? await endLog(tx, log, cited) : 0;
      const { epoch, signed } = await nextEpoch(tx, signing, log?.epoch ?? 0);
      const origin = originOf(tx, signing, epoch);
      const previous = cited && log ? { epoch: log.epoch, size: cited.size } : undefined;
      const metadata = {
        epoch,
        ...(cited && { previousEpoch: log?.epoch, previousSize: cited.size, checkpoint: cited.note }),
        ...signed,
      };
      await beginLog(tx, signing, { epoch, origin, metadata, principal });
      await rememberLog(tx, signing, epoch);
      return { epoch, origin, reason, cited: previous, reopened };
    },
    { role: 'custodian' },
  );
}

/** Whoever sequences passes over a log that is locked. */
async function lockLog(tx: Tx): Promise<Log | undefined> {
  const [row] = await tx.query(sql<LogRow>`
    select ${logColumns} from annals.log where tenant_id = ${tx.tenantId}
    order by epoch desc limit 1 for update`);
  return row && toLog(row);
}

async function reasonToOpen(tx: Tx, signing: Signing): Promise<string> {
  try {
    await examineLog(tx, signing);
  } catch (error) {
    return reasonOfRefusal(error);
  }
  throw new AnnalsError({
    code: 'invalid_input',
    message: `the log of ${tx.tenantId} extends what was signed; it needs no new epoch`,
  });
}

async function lastGoodCheckpoint(tx: Tx, signing: Signing, log: Log): Promise<CheckpointRow | undefined> {
  const publicKeys = publicKeysIn(signing.keys);
  const origin = originOf(tx, signing, log.epoch);
  let sizeMax = log.size;
  for (;;) {
    const row = await lastCheckpoint(tx, { epoch: log.epoch, sizeMax });
    if (!row) return undefined;
    try {
      checkEdge(log);
      await checkGrowth(tx, log, headOfCheckpoint(row, { origin, publicKeys }));
      return row;
    } catch (error) {
      if (!(error instanceof SigningRefused)) throw error;
      sizeMax = row.size - 1;
    }
  }
}

async function endLog(tx: Tx, log: Log, cited: CheckpointRow | undefined): Promise<number> {
  const head = cited ?? { size: 0, root: rootOf([]) };
  const place = { epoch: log.epoch, index: head.size };
  await uncountFrom(tx, place);
  await rewindFollowers(tx, place);
  const reopened = await reopenBatches(tx, log, head.size);
  await cutLog(tx, log, head);
  return reopened;
}

/**
 * The number of the next epoch, and what was last signed before it. An epoch that was signed is never used again,
 * even where the database does not know of it any more.
 */
async function nextEpoch(
  tx: Tx,
  signing: Signing,
  newest: number,
): Promise<{ epoch: number; signed: object }> {
  let signed = {};
  for (let epoch = Math.max(1, newest); ; epoch += 1) {
    const head = await signing.state.read(originOf(tx, signing, epoch)).catch(() => 'damaged' as const);
    if (!head && epoch > newest && epoch > 1) return { epoch, signed };
    if (typeof head === 'object') {
      signed = { signedEpoch: epoch, signedSize: head.size, signedRoot: encodeBase64(head.root) };
    }
  }
}

interface BeginLog {
  readonly epoch: number;
  readonly origin: string;
  readonly metadata: JsonObject;
  readonly principal: Principal;
}

async function beginLog(tx: Tx, { services }: Signing, begin: BeginLog): Promise<void> {
  const { epoch, origin, metadata, principal } = begin;
  const { clock } = services;
  const log = emptyLog(epoch, clock.now());
  await tx.query(sql`
    insert into annals.log (tenant_id, epoch, size, root, edge, sequenced_at)
    values (${tx.tenantId}, ${epoch}, 0, ${Buffer.from(log.root)}, '{}', ${log.sequencedAt.toISOString()})`);
  const caller = { clock, principal, requestId: 'log-key' };
  const id = await recordActivity(tx, caller, {
    action: openedAction,
    severity: 'critical',
    target: { type: 'log', id: origin },
    metadata,
  });
  const batches = await tx.query(sql<StoredBatch>`
    select b.id, b.size, b.root, b.leaves from annals.batch b
    join annals.activity a on a.tenant_id = b.tenant_id and a.batch_id = b.id
    where b.tenant_id = ${tx.tenantId} and a.id = ${id}`);
  await growLog(tx, services, { log, batches });
}

/** Only an epoch that the memory knows is signed: otherwise whoever writes to the database could open one. */
async function rememberLog(tx: Tx, signing: Signing, epoch: number): Promise<void> {
  const log = await findLog(tx, epoch);
  if (!log) throw new Error('the log has gone that was just begun');
  const { size, root } = log;
  const origins = originsUpTo(tx, signing, epoch);
  const active = signing.keys.active.map(({ publicKey }) => encodeBase64(publicKey));
  const keys = await firstKeys(tx, { origins, log, active });
  await signing.state.write(originOf(tx, signing, epoch), { size, root, keys }, undefined);
}

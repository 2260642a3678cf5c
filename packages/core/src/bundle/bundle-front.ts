import {
  type BundleLine,
  type BundleLog,
  bundleLimits,
  formatPolicy,
  type PolicyLog,
  parseVerifierKey,
  TlogError,
} from '@annals/tlog';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { originOf, type StoredCheckpoint } from '../log/find-checkpoint.ts';

/**
 * The newest signed checkpoint of every epoch that has one. An epoch that was closed ends at its log's size: what
 * was signed beyond is not there any more, as the next epoch says.
 */
export function newestCheckpoints(tx: Tx): Promise<StoredCheckpoint[]> {
  return tx.query(sql<StoredCheckpoint>`
    select distinct on (c.epoch) c.epoch, c.size::float8 as size, c.root, c.note, c.verifier_keys as "verifierKeys"
    from annals.checkpoint c left join annals.log l on l.tenant_id = c.tenant_id and l.epoch = c.epoch
    where c.tenant_id = ${tx.tenantId} and c.size > 0
      and (c.size <= l.size or c.epoch = (select max(epoch) from annals.log where tenant_id = ${tx.tenantId}))
    order by c.epoch, c.size desc`);
}

/** What a bundle covers of each epoch. */
export function logsOf(newest: readonly StoredCheckpoint[]): BundleLog[] {
  return newest.map((checkpoint) => {
    const { epoch, size } = checkpoint;
    return { epoch, origin: originOf(checkpoint), size };
  });
}

/** The operator's word for whose keys sign: an auditor has to have it from elsewhere. */
export function policyLine(newest: readonly StoredCheckpoint[]): BundleLine {
  const logs = new Map<string, PolicyLog>();
  // A policy names a public key once; that of the first epoch stands for the later ones.
  for (const text of newest.flatMap(({ verifierKeys }) => verifierKeys)) {
    const key = readKey(text);
    if (key && !logs.has(String(key.publicKey))) logs.set(String(key.publicKey), { key });
  }
  return {
    type: 'policy',
    text: formatPolicy({ logs: [...logs.values()], witnesses: [], quorum: { kind: 'none' } }),
  };
}

function readKey(text: string) {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}

/** Checkpoints of the logs, oldest first. Of very many, some evenly spread ones and the newest. */
export async function* checkpointLines(tx: Tx, logs: readonly BundleLog[]): AsyncGenerator<BundleLine[]> {
  for (const { epoch, size } of logs) {
    const rows = await tx.query(sql<{ note: string }>`
      select note from (
        select note, size, row_number() over (order by size desc) as nth, count(*) over () as total
        from annals.checkpoint where tenant_id = ${tx.tenantId} and epoch = ${epoch} and size <= ${size}
      ) as counted
      where (nth - 1) % ceil(total / ${bundleLimits.checkpointsMax}::float8)::bigint = 0
      order by size`);
    yield rows.map(({ note }) => ({ type: 'checkpoint', epoch, note }));
  }
}

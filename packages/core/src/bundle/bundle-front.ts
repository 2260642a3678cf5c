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

/** The newest signed checkpoint of every epoch that has one, from the first epoch. */
export function newestCheckpoints(tx: Tx): Promise<StoredCheckpoint[]> {
  return tx.query(sql<StoredCheckpoint>`
    select distinct on (epoch) epoch, size::float8 as size, root, note, verifier_keys as "verifierKeys"
    from annals.checkpoint where tenant_id = ${tx.tenantId}
    order by epoch, checkpoint.size desc`);
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
  for (const { epoch } of logs) {
    const rows = await tx.query(sql<{ note: string }>`
      select note from (
        select note, size, row_number() over (order by size desc) as nth, count(*) over () as total
        from annals.checkpoint where tenant_id = ${tx.tenantId} and epoch = ${epoch}
      ) as counted
      where (nth - 1) % ceil(total / ${bundleLimits.checkpointsMax}::float8)::bigint = 0
      order by size`);
    yield rows.map(({ note }) => ({ type: 'checkpoint', epoch, note }));
  }
}

import { AnnalsError } from '@annals/contract';
import { sql } from 'kysely';
import { epochMs } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';

/** What was signed about the tenant's log at one size. */
export interface StoredCheckpoint {
  readonly epoch: number;
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  readonly verifierKeys: string[];
  readonly signedMs: number;
}

export interface CheckpointPlace {
  /** The newest epoch that has a checkpoint, unless told otherwise. */
  readonly epoch?: number | undefined;
  /** The largest that was signed, unless told otherwise. */
  readonly size?: number | undefined;
}

/** The newest checkpoint of the tenant's log, or that of a place. Errors `not_found`, naming what was asked for. */
export async function findCheckpoint(
  tx: Tx,
  { epoch = null, size = null }: { [Key in keyof CheckpointPlace]: CheckpointPlace[Key] | null },
): Promise<StoredCheckpoint> {
  const [row] = await tx.query(sql<StoredCheckpoint>`
    select epoch, size::float8 as size, root, note, verifier_keys as "verifierKeys",
      ${epochMs(sql.ref('signed_at'))} as "signedMs"
    from annals.checkpoint
    where tenant_id = ${tx.tenantId}
      and epoch = coalesce(${epoch}::int,
        (select max(epoch) from annals.checkpoint where tenant_id = ${tx.tenantId}))
      and (${size}::bigint is null or size = ${size})
    order by checkpoint.size desc limit 1`);
  if (row) return row;
  if (size !== null) throw notFound('no checkpoint was signed at this size', 'size');
  if (epoch !== null) throw notFound('no checkpoint was signed in this epoch', 'epoch');
  throw notFound('no checkpoint has been signed yet');
}

/** The log's name: a checkpoint's first line (C2SP tlog-checkpoint). */
export function originOf({ note }: Pick<StoredCheckpoint, 'note'>): string {
  return note.slice(0, note.indexOf('\n'));
}

function notFound(message: string, path?: string): AnnalsError {
  return new AnnalsError({ code: 'not_found', message, ...(path !== undefined && { path }) });
}

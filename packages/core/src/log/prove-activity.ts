import { AnnalsError, type ProofInput, type ProofResult } from '@annals/contract';
import { encodeBase64, encodeOpenings } from '@annals/tlog';
import { sql } from 'kysely';
import { read, sightOf } from '../activity/read.ts';
import { seesPersonal } from '../activity/resolve-filter.ts';
import { whereActivity } from '../activity/where.ts';
import type { Context, Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { findCheckpoint, originOf, type StoredCheckpoint } from './find-checkpoint.ts';
import { type LoggedRow, loggedColumns, openingOf, toLoggedRecord } from './logged-row.ts';
import { readInclusions } from './read-inclusion.ts';
import { withholdPersonal } from './withhold-personal.ts';

/**
 * That one activity stands in the tenant's log, in the newest checkpoint of its epoch, and what leads from the
 * activity to its leaf.
 *
 * Without `personal:read` the personal fields come withheld, as `activity.get` masks them.
 * Errors  `not_found`; `not_signed` while no checkpoint covers the activity.
 */
export async function proveActivity({ ctx, input }: Verb<ProofInput>): Promise<ProofResult> {
  return read(ctx, async (tx) => {
    const row = await findRow(tx, ctx, input.id);
    const { checkpoint, index } = await placeOf(tx, row);
    const { epoch, size, note } = checkpoint;
    const [inclusion] = await readInclusions(tx, { epoch, size, index, count: 1 });
    if (!inclusion) throw notSigned();
    return {
      origin: originOf(checkpoint),
      epoch,
      index,
      size,
      leaf: encodeBase64(inclusion.leaf),
      hashes: inclusion.hashes.map(encodeBase64),
      note,
      own: row.own,
      ...openingFor(ctx, row),
    };
  });
}

interface PlacedRow extends LoggedRow {
  readonly batchId: string;
  readonly position: number;
}

async function findRow(tx: Tx, ctx: Context, id: string): Promise<PlacedRow> {
  const where = whereActivity({ id: { any: [id] } }, sightOf(ctx));
  const [row] = await tx.query(sql<PlacedRow>`
    select ${loggedColumns}, batch_id as "batchId", position from annals.activity where ${where}`);
  if (row) return row;
  throw new AnnalsError({ code: 'not_found', message: 'there is no such activity', path: 'id' });
}

async function placeOf(
  tx: Tx,
  { batchId, position }: PlacedRow,
): Promise<{ checkpoint: StoredCheckpoint; index: number }> {
  const [batch] = await tx.query(sql<{ epoch: number | null; firstIndex: number }>`
    select epoch, first_index::float8 as "firstIndex" from annals.batch
    where tenant_id = ${tx.tenantId} and id = ${batchId}`);
  if (!batch || batch.epoch === null) throw notSigned();
  const index = batch.firstIndex + position;
  const checkpoint = await findCheckpoint(tx, { epoch: batch.epoch }).catch((error: unknown) => {
    throw error instanceof AnnalsError && error.code === 'not_found' ? notSigned() : error;
  });
  if (index >= checkpoint.size) throw notSigned();
  return { checkpoint, index };
}

function openingFor(ctx: Context, row: LoggedRow): { seed?: string; openings?: string } {
  const opening = openingOf(row);
  if (!opening) return {};
  if (!seesPersonal(ctx)) {
    return { openings: encodeBase64(encodeOpenings(withholdPersonal(toLoggedRecord(row), opening))) };
  }
  if ('seed' in opening) return { seed: encodeBase64(opening.seed) };
  return { openings: encodeBase64(encodeOpenings(opening.openings)) };
}

function notSigned(): AnnalsError {
  return new AnnalsError({
    code: 'not_signed',
    message: 'no signed checkpoint covers the activity yet; ask again shortly',
    path: 'id',
  });
}

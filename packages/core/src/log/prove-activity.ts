import { AnnalsError, type ProofInput, type ProofResult } from '@annals/contract';
import { encodeBase64, encodeOpenings } from '@annals/tlog';
import { sql } from 'kysely';
import { read, sightOf } from '../activity/read.ts';
import { seesPersonal } from '../activity/resolve-filter.ts';
import { whereActivity } from '../activity/where.ts';
import type { Context, Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { originOf } from './find-checkpoint.ts';
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
    const { epoch, firstIndex, size, note } = row;
    if (epoch === null || firstIndex === null || size === null || note === null) throw notSigned();
    const index = firstIndex + row.position;
    if (index >= size) throw notSigned();
    const [inclusion] = await readInclusions(tx, { epoch, size, index, count: 1 });
    if (!inclusion) throw notSigned();
    return {
      origin: originOf({ note }),
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

/** An activity with the place of its batch, and the newest checkpoint of that epoch; nulls where there is none yet. */
interface PlacedRow extends LoggedRow {
  readonly position: number;
  readonly epoch: number | null;
  readonly firstIndex: number | null;
  readonly size: number | null;
  readonly note: string | null;
}

/** In one statement: each further one would be a further trip to the database. */
async function findRow(tx: Tx, ctx: Context, id: string): Promise<PlacedRow> {
  const where = whereActivity({ id: { any: [id] } }, sightOf(ctx));
  const [row] = await tx.query(sql<PlacedRow>`
    select ${loggedColumns}, position, epoch, first_index::float8 as "firstIndex", size::float8 as size, note
    from (select * from annals.activity where ${where}) as found
    left join lateral (
      select b.epoch, b.first_index from annals.batch b
      where b.tenant_id = ${tx.tenantId} and b.id = found.batch_id
    ) as placed on true
    left join lateral (
      select c.size, c.note from annals.checkpoint c
      where c.tenant_id = ${tx.tenantId} and c.epoch = placed.epoch
      order by c.size desc limit 1
    ) as signed on true`);
  if (row) return row;
  throw new AnnalsError({ code: 'not_found', message: 'there is no such activity', path: 'id' });
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

import { AnnalsError, type JsonObject } from '@annals/contract';
import {
  type CertifiedProof,
  type CertifiedRecord,
  encodeBase64,
  encodeOpenings,
  fixedSlots,
  type Openings,
  rebuildEntry,
} from '@annals/tlog';
import { sql } from 'kysely';
import { fieldColumns } from '../activity/columns.ts';
import { seesPersonal } from '../activity/resolve-filter.ts';
import { toActivity } from '../activity/row.ts';
import { whereActivity } from '../activity/where.ts';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { findCheckpoint, type StoredCheckpoint } from '../log/find-checkpoint.ts';
import { type LoggedRow, loggedColumns, openingOf, toLoggedRecord } from '../log/logged-row.ts';
import { readInclusions } from '../log/read-inclusion.ts';
import { withholdPersonal } from '../log/withhold-personal.ts';

interface PlacedRow extends LoggedRow {
  readonly epoch: number | null;
  readonly index: number;
}

export interface Certified {
  readonly certified: CertifiedRecord;
  readonly metadata: JsonObject;
  /** The checkpoint that its proof leads to, where one covers it. */
  readonly checkpoint?: StoredCheckpoint | undefined;
}

/**
 * One of Annals' own records for a certificate, with the proof that it stands in the log as soon as there is one.
 *
 * Errors  `not_found` where a policy that names its action has purged it.
 */
export async function certifyRecord(tx: Tx, ctx: Context, id: string): Promise<Certified> {
  const row = await findRow(tx, id);
  const checkpoint = await findCovering(tx, row);
  const proof = checkpoint && (await prove(tx, row, checkpoint));
  return {
    certified: { ...show(row, seesPersonal(ctx)), ...(proof && { proof }) },
    metadata: row.metadata,
    checkpoint,
  };
}

async function findRow(tx: Tx, id: string): Promise<PlacedRow> {
  const where = whereActivity({ id: { any: [id] } }, { tenantId: tx.tenantId, personal: true });
  const [row] = await tx.query(sql<PlacedRow>`
    select a.*, b.epoch, (b.first_index + a.position)::float8 as index
    from (select ${loggedColumns}, batch_id, position from annals.activity where ${where}) as a
    join annals.batch b on b.tenant_id = ${tx.tenantId} and b.id = a.batch_id`);
  if (row) return row;
  throw new AnnalsError({
    code: 'not_found',
    message: "one of the job's own records was purged, so that nothing certifies it any more",
    path: 'jobId',
  });
}

async function findCovering(tx: Tx, { epoch, index }: PlacedRow): Promise<StoredCheckpoint | undefined> {
  if (epoch === null) return undefined;
  const checkpoint = await findCheckpoint(tx, { epoch }).catch((error: unknown) => {
    if (error instanceof AnnalsError && error.code === 'not_found') return undefined;
    throw error;
  });
  return checkpoint && index < checkpoint.size ? checkpoint : undefined;
}

async function prove(
  tx: Tx,
  { index }: PlacedRow,
  { epoch, size, note }: StoredCheckpoint,
): Promise<CertifiedProof | undefined> {
  const [inclusion] = await readInclusions(tx, { epoch, size, index, count: 1 });
  return inclusion && { epoch, index, hashes: inclusion.hashes.map(encodeBase64), note };
}

const columnOf = new Map(fieldColumns.map(({ path, column }) => [path.join('.'), column]));

/** Only what the entry commits to: what an erasure left of a value is for bundles, where its manifest stands. */
function show(row: LoggedRow, all: boolean): Omit<CertifiedRecord, 'proof'> {
  const record = toLoggedRecord(row);
  const opening = openingOf(row);
  if (!opening) {
    throw new AnnalsError({
      code: 'not_found',
      message: 'nothing proves the record any more',
      path: 'jobId',
    });
  }
  if (all && 'seed' in opening) return { record: toJson(row), seed: encodeBase64(opening.seed) };
  const whole = all && 'openings' in opening ? opening.openings : withholdPersonal(record, opening);
  const { restSalt: _, ...openings } = whole;
  const slots = openings.slots.map((slot): Openings['slots'][number] =>
    slot.state === 'replaced' ? { state: 'withheld', commitment: slot.commitment } : slot,
  );
  const shown = rebuildEntry(record, { openings: { ...openings, slots } }).slots;
  const hidden = shown.flatMap(({ number, state }) => (state === 'open' ? [] : [fixedSlots[number] ?? '']));
  const columns = hidden.flatMap((name) => columnOf.get(name) ?? []);
  const visible = { ...row, ...Object.fromEntries(columns.map((column) => [column, null])), erased: null };
  return { record: toJson(visible), openings: encodeBase64(encodeOpenings({ ...openings, slots })) };
}

function toJson(row: LoggedRow): CertifiedRecord['record'] {
  return JSON.parse(JSON.stringify(toActivity(row, { personal: true }))) as CertifiedRecord['record'];
}

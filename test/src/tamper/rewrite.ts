import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  commitRecords,
  decodeBase64,
  emptyEdge,
  growTiles,
  type LoggedRecord,
  rootOf,
  rootOfEdge,
  splitHashes,
  tileWidth,
} from '@annals/tlog';
import { bundleText } from './audit.ts';
import { firstOf, rowsOf, tenantId } from './catalogue.ts';
import type { History } from './history.ts';

/** The record that most threats are about: signed, whole, and with a value in every field. */
export const victim = firstOf('activity', rowsOf.activity.kinds[0]?.where);

/** A record as a bundle has it. */
export interface BundledLine {
  readonly index: number;
  readonly record: LoggedRecord;
  /** Absent once something was erased. */
  readonly seed: Uint8Array | undefined;
}

/** The records of the tenant's bundle, and the leaf hashes of the log. */
export async function readBundle(
  history: History,
): Promise<{ records: BundledLine[]; leaves: Uint8Array[] }> {
  const lines = (await bundleText(history)).split('\n').filter((line) => line !== '');
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const tiles = parsed
    .filter(({ type }) => type === 'tile')
    .map(({ hashes }) => decodeBase64(String(hashes)));
  const records = parsed.filter(({ type }) => type === 'record').map(toLine);
  return { records, leaves: splitHashes(Buffer.concat(tiles)) };
}

function toLine({ index, own, record, seed }: Record<string, unknown>): BundledLine {
  const activity = record as Omit<LoggedRecord, 'recordedAt'> & { readonly recordedAt: string };
  return {
    index: Number(index),
    record: { ...activity, recordedAt: new Date(activity.recordedAt), own: own === true },
    seed: typeof seed === 'string' ? decodeBase64(seed) : undefined,
  };
}

export async function idOf({ admin }: History, row: string): Promise<string> {
  const { rows } = await admin.query<{ id: string }>(row);
  return rows[0]?.id ?? '';
}

/**
 * Make the whole log fit the records as they are now: the leaves of those that are whole, tiles, edge and root.
 * What was signed before is removed.
 */
export async function rewriteLog(history: History): Promise<void> {
  const { admin } = history;
  const { records, leaves } = await readBundle(history);
  for (const { index, record, seed } of records) if (seed) leaves[index] = commitRecords([record], seed);
  const { edge, written } = growTiles(emptyEdge, leaves);
  for (const { tile, bytes } of written) {
    if (tile.width < tileWidth) continue;
    await admin.query(
      'update annals.tile set hashes = $1 where tenant_id = $2 and level = $3 and index = $4',
      [bytes, tenantId, tile.level, tile.index],
    );
  }
  await admin.query('update annals.log set root = $1, edge = $2 where tenant_id = $3', [
    rootOfEdge(edge),
    edge.tiles,
    tenantId,
  ]);
  await admin.query('delete from annals.checkpoint where tenant_id = $1', [tenantId]);
}

/** Make the leaf of a record that is not sequenced yet, and the root of its batch, those of another record. */
export async function rewriteBatch(
  { admin }: History,
  { id, leaf }: { readonly id: string; readonly leaf: Uint8Array },
): Promise<void> {
  const { rows } = await admin.query<{ batch: string; position: number; leaves: Buffer }>(
    `select b.id as batch, a.position, b.leaves from annals.activity a join annals.batch b on b.id = a.batch_id
      where a.id = $1`,
    [id],
  );
  const [row] = rows;
  if (!row) throw new Error('the record has no batch');
  const leaves = splitHashes(row.leaves);
  leaves[row.position] = leaf;
  await admin.query('update annals.batch set leaves = $1, root = $2 where id = $3', [
    Buffer.concat(leaves),
    rootOf(leaves),
    row.batch,
  ]);
}

/** Take the signer's files over: it remembers nothing, and its key signs whatever is there. */
export async function ownSigner({ dir }: History): Promise<void> {
  await rm(join(dir, 'state'), { recursive: true });
}

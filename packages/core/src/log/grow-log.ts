import { setImmediate as yieldToOthers } from 'node:timers/promises';
import {
  emptyEdge,
  growTiles,
  hashBytes,
  rootOf,
  rootOfEdge,
  rootOfLeaves,
  splitHashes,
  type TileEdge,
  tileWidth,
  type WrittenTile,
} from '@annals/tlog';
import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import type { Log } from './newest-log.ts';

/** A committed batch as it is stored, before it has a place in the log. */
export interface StoredBatch {
  readonly id: string;
  readonly size: number;
  readonly root: Buffer;
  /** The leaf hashes one after the other. */
  readonly leaves: Buffer | null;
}

/** Why a log stands still: what is stored contradicts itself, and nothing may be built or signed upon it. */
export class LogRefused extends Error {
  /** The batch that it is about; without one, it is about the log itself. */
  readonly batchId: string | undefined;

  constructor(message: string, { batchId, cause }: { batchId?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = 'LogRefused';
    this.batchId = batchId;
  }
}

/**
 * Append batches to a log whose row the transaction holds locked: give them their indexes in the order given,
 * store the tiles that become full, and move the log on. The leaves of the batches go; the tiles have them now.
 *
 * Errors  `LogRefused` for a batch or a log that contradicts itself, before anything is written.
 */
export async function growLog(
  tx: Tx,
  { clock }: Pick<Services, 'clock'>,
  { log, batches }: { readonly log: Log; readonly batches: readonly StoredBatch[] },
): Promise<number> {
  checkLog(log);
  const grown = await grow(log.edge, batches);
  const added = grown.edge.size - log.size;
  if (added === 0) return 0;
  await insertTiles(tx, log.epoch, grown.full);
  await moveOn(tx, clock.now(), { log, edge: grown.edge, batches });
  tx.notify('annals_log');
  return added;
}

function checkLog({ edge, root }: Log): void {
  if (!sameBytes(storedRoot(edge), root)) throw new LogRefused('the edge of the log leads to another root');
}

function storedRoot(edge: TileEdge): Uint8Array {
  try {
    return rootOfEdge(edge);
  } catch (cause) {
    throw new LogRefused('the edge of the log does not fit its size', { cause });
  }
}

/** About 5 ms of hashing: so long at most do others wait for the process. */
const sliceLeaves = 2_048;

async function grow(
  edge: TileEdge,
  batches: readonly StoredBatch[],
): Promise<{ edge: TileEdge; full: WrittenTile[] }> {
  const full: WrittenTile[] = [];
  let grown = edge;
  let leaves: Uint8Array[] = [];
  const append = async () => {
    const next = growTiles(grown, leaves);
    for (const each of next.written) if (each.tile.width === tileWidth) full.push(each);
    grown = next.edge;
    leaves = [];
    await yieldToOthers();
  };
  for (const batch of batches) {
    leaves.push(...leavesOf(batch));
    if (leaves.length >= sliceLeaves) await append();
  }
  await append();
  return { edge: grown, full };
}

/** The batch was committed with its root, which may have been told to whoever handed it in. */
function leavesOf({ id: batchId, size, root, leaves }: StoredBatch): Uint8Array[] {
  if (leaves === null) throw new LogRefused('a batch without a place in the log has no leaves', { batchId });
  if (size < 1 || leaves.length !== size * hashBytes) {
    throw new LogRefused(`a batch of ${size} has ${leaves.length} bytes of leaves`, { batchId });
  }
  if (!sameBytes(rootOfLeaves(leaves), root))
    throw new LogRefused('the leaves of a batch have another root', { batchId });
  return splitHashes(leaves);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

async function insertTiles(tx: Tx, epoch: number, written: readonly WrittenTile[]): Promise<void> {
  if (written.length === 0) return;
  const bytes = tileWidth * hashBytes;
  await tx.query(sql`
    insert into annals.tile (tenant_id, epoch, level, index, hashes)
    select ${tx.tenantId}, ${epoch}, level, index,
      substring(${Buffer.concat(written.map((each) => each.bytes))}::bytea from ((n - 1) * ${bytes} + 1)::int for ${bytes})
    from unnest(
      ${written.map(({ tile }) => tile.level)}::int[], ${written.map(({ tile }) => tile.index)}::bigint[]
    ) with ordinality as written (level, index, n)`);
}

interface Move {
  readonly log: Log;
  /** The log's, behind the batches. */
  readonly edge: TileEdge;
  readonly batches: readonly StoredBatch[];
}

/** Give the batches their places, and the log what it is with them: in one statement, for a trip takes its time. */
async function moveOn(tx: Tx, now: Date, { log, edge, batches }: Move): Promise<void> {
  let next = log.size;
  const firstIndexes = batches.map(({ size }) => {
    const first = next;
    next += size;
    return first;
  });
  const moved = await tx.query(sql<{ placed: number }>`
    with placed as (
      update annals.batch b set epoch = ${log.epoch}, first_index = placed.first_index, leaves = null
      from unnest(${batches.map(({ id }) => id)}::uuid[], ${firstIndexes}::bigint[]) as placed (id, first_index)
      where b.tenant_id = ${tx.tenantId} and b.id = placed.id and b.first_index is null
      returning 1
    )
    update annals.log set size = ${edge.size}, root = ${Buffer.from(rootOfEdge(edge))},
      edge = ${edge.tiles.map((tile) => Buffer.from(tile))}::bytea[], sequenced_at = ${now.toISOString()}
    where tenant_id = ${tx.tenantId} and epoch = ${log.epoch} and size = ${log.size}
    returning (select count(*)::int from placed) as placed`);
  if (moved.length !== 1) throw new LogRefused('the log was moved on by somebody who did not hold it');
  if (moved[0]?.placed !== batches.length) throw new LogRefused('a batch has a place in the log already');
}

/** The log of an epoch before its first entry. */
export function emptyLog(epoch: number, sequencedAt: Date): Log {
  return { epoch, size: 0, root: rootOf([]), edge: emptyEdge, sequencedAt };
}

import {
  emptyEdge,
  rootOfEdge,
  type TileEdge,
  type TreeHead,
  tileAt,
  tilePath,
  tileWidth,
} from '@annals/tlog';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import type { Log } from '../log/newest-log.ts';
import { readTiles } from '../log/read-tiles.ts';

/** Set a log back to a smaller size, which its batches from there on have left already. */
export async function cutLog(tx: Tx, log: Log, { size, root }: TreeHead): Promise<void> {
  const edge = await edgeAt(tx, log, size);
  if (Buffer.compare(rootOfEdge(edge), root) !== 0) throw new Error('the log was not this one at that size');
  await tx.query(sql`
    update annals.log set size = ${size}, root = ${Buffer.from(root)},
      edge = ${edge.tiles.map((tile) => Buffer.from(tile))}::bytea[]
    where tenant_id = ${tx.tenantId} and epoch = ${log.epoch}`);
}

async function edgeAt(tx: Tx, log: Log, size: number): Promise<TileEdge> {
  if (size === 0) return emptyEdge;
  const tiles: Uint8Array[] = [];
  for (let level = 0; tileWidth ** level <= size; level += 1) {
    const hashes = Math.floor(size / tileWidth ** level);
    if (hashes % tileWidth === 0) tiles.push(new Uint8Array());
    else {
      const tile = tileAt({ level, index: Math.floor(hashes / tileWidth) }, size);
      const found = await readTiles(tx, log, [tile]);
      tiles.push(found.get(tilePath(tile)) ?? new Uint8Array());
    }
  }
  return { size, tiles };
}

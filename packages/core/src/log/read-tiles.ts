import { hashBytes, type Tile, type TileBytes, tilePath, tileWidth } from '@annals/tlog';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { findLog, type Log } from './newest-log.ts';

/**
 * The bytes of tiles of the tenant's log in one epoch, by `tilePath`, each with its width. Tiles that the log does
 * not have yet are left out.
 *
 * A partial tile may be one of a smaller size: it is a prefix of what stands in its place by now.
 */
export async function readTiles(
  tx: Tx,
  { epoch }: { readonly epoch: number },
  tiles: readonly Tile[],
): Promise<TileBytes> {
  // The log first: a tile that is full by then stands in the table, any other in its edge.
  const log = await findLog(tx, epoch);
  if (!log) return new Map();
  const full = await readFullTiles(
    tx,
    epoch,
    tiles.filter((tile) => isFull(log, tile)),
  );
  const found = new Map<string, Uint8Array>();
  for (const tile of tiles) {
    const bytes = isFull(log, tile) ? full.get(placeOf(tile)) : edgeAt(log, tile);
    const length = tile.width * hashBytes;
    if (bytes && bytes.length >= length) found.set(tilePath(tile), bytes.subarray(0, length));
  }
  return found;
}

function isFull({ size }: Log, { level, index }: Tile): boolean {
  return (index + 1) * tileWidth ** (level + 1) <= size;
}

function edgeAt({ size, edge }: Log, { level, index }: Tile): Uint8Array | undefined {
  return index === Math.floor(size / tileWidth ** (level + 1)) ? edge.tiles[level] : undefined;
}

async function readFullTiles(tx: Tx, epoch: number, tiles: readonly Tile[]): Promise<Map<string, Buffer>> {
  if (tiles.length === 0) return new Map();
  // One look by the key for each, whatever the planner believes to know about the table: `limit` keeps it apart.
  const rows = await tx.query(sql<{ level: number; index: string; hashes: Buffer }>`
    select found.level, found.index::text as index, found.hashes
    from unnest(${tiles.map(({ level }) => level)}::int[], ${tiles.map(({ index }) => index)}::bigint[])
      as wanted (level, index),
    lateral (
      select t.level, t.index, t.hashes from annals.tile t
      where t.tenant_id = ${tx.tenantId} and t.epoch = ${epoch}
        and t.level = wanted.level and t.index = wanted.index
      limit 1
    ) as found`);
  return new Map(rows.map(({ level, index, hashes }) => [placeOf({ level, index: Number(index) }), hashes]));
}

function placeOf({ level, index }: Omit<Tile, 'width'>): string {
  return `${level}/${index}`;
}

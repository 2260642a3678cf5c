import { hashBytes, type Tile, type TileBytes, tilePath, tileWidth } from '@annals/tlog';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import type { Log } from './newest-log.ts';

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
  const [log, full] = await readLogWithTiles(tx, epoch, tiles);
  if (!log) return new Map();
  const found = new Map<string, Uint8Array>();
  for (const tile of tiles) {
    const bytes = isFull(log, tile) ? full.get(placeOf(tile)) : edgeAt(log, tile);
    const length = tile.width * hashBytes;
    if (bytes && bytes.length >= length) found.set(tilePath(tile), bytes.subarray(0, length));
  }
  return found;
}

/** Of a log what tells its tiles: of each level, the partial one on the right. */
type Edges = Pick<Log, 'size' | 'edge'>;

function isFull({ size }: Edges, { level, index }: Tile): boolean {
  return (index + 1) * tileWidth ** (level + 1) <= size;
}

function edgeAt({ size, edge }: Edges, { level, index }: Tile): Uint8Array | undefined {
  return index === Math.floor(size / tileWidth ** (level + 1)) ? edge.tiles[level] : undefined;
}

interface Row {
  readonly size: string | null;
  readonly edge: Buffer[] | null;
  readonly level: number | null;
  readonly index: string | null;
  readonly hashes: Buffer | null;
}

/** In one statement, and so of one moment: a tile that is full by then stands in the table, any other in the edge. */
async function readLogWithTiles(
  tx: Tx,
  epoch: number,
  tiles: readonly Tile[],
): Promise<[Edges | undefined, Map<string, Buffer>]> {
  // One look by the key for each, whatever the planner believes to know about the table: `limit` keeps it apart.
  const rows = await tx.query(sql<Row>`
    select size::text as size, edge, null::int as level, null::text as index, null::bytea as hashes
    from annals.log where tenant_id = ${tx.tenantId} and epoch = ${epoch}
    union all
    select null, null, found.level, found.index::text, found.hashes
    from unnest(${tiles.map(({ level }) => level)}::int[], ${tiles.map(({ index }) => index)}::bigint[])
      as wanted (level, index),
    lateral (
      select t.level, t.index, t.hashes from annals.tile t
      where t.tenant_id = ${tx.tenantId} and t.epoch = ${epoch}
        and t.level = wanted.level and t.index = wanted.index
      limit 1
    ) as found`);
  const full = rows.flatMap(({ level, index, hashes }): [string, Buffer][] =>
    level === null || hashes === null ? [] : [[placeOf({ level, index: Number(index) }), hashes]],
  );
  const log = rows.find((row) => row.edge !== null);
  const size = Number(log?.size);
  return [log?.edge ? { size, edge: { size, tiles: log.edge } } : undefined, new Map(full)];
}

function placeOf({ level, index }: Omit<Tile, 'width'>): string {
  return `${level}/${index}`;
}

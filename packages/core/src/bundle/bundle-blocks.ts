import {
  type BundleLine,
  type BundleLog,
  encodeBase64,
  type Tile,
  tileAt,
  tilePath,
  tileWidth,
} from '@annals/tlog';
import { toActivity } from '../activity/row.ts';
import type { Tx } from '../database/database.ts';
import { type PlacedRow, readRows } from '../log/read-rows.ts';
import { readTiles } from '../log/read-tiles.ts';

/** Tiles whose records are read at once: some megabytes of ordinary records, 100 of the largest. */
const tilesAtOnce = 4;

/** Each tile of a log with those of its records that are still there. The next ones are read meanwhile. */
export async function* blockLines(tx: Tx, log: BundleLog): AsyncGenerator<BundleLine[]> {
  const count = Math.ceil(log.size / tileWidth);
  let coming = readBlocks(tx, log, 0);
  for (let first = 0; first < count; first += tilesAtOnce) {
    const blocks = await coming;
    const next = first + tilesAtOnce;
    if (next < count) {
      coming = readBlocks(tx, log, next);
      // Whoever reads on meets the error; whoever stops reading does not care.
      coming.catch(() => undefined);
    }
    yield* blocks;
    // A checkpoint that was put there can say any size: nothing behind a tile that is missing counts.
    if (blocks.length < Math.min(tilesAtOnce, count - first)) return;
  }
}

async function readBlocks(tx: Tx, { epoch, size }: BundleLog, first: number): Promise<BundleLine[][]> {
  const start = first * tileWidth;
  const end = Math.min(size, start + tilesAtOnce * tileWidth);
  const tiles = Array.from({ length: Math.ceil((end - start) / tileWidth) }, (_, at) =>
    tileAt({ level: 0, index: first + at }, size),
  );
  const hashes = await readTiles(tx, { epoch }, tiles);
  const rows = await readRows(tx, { epoch, start, end });
  return tiles.flatMap((tile) => {
    const bytes = hashes.get(tilePath(tile));
    // What the log has lost is not made up: a verifier misses the tile.
    return bytes ? [blockOf({ epoch, tile, bytes, rows })] : [];
  });
}

interface Block {
  readonly epoch: number;
  readonly tile: Tile;
  readonly bytes: Uint8Array;
  readonly rows: readonly PlacedRow[];
}

function blockOf({ epoch, tile: { index, width }, bytes, rows }: Block): BundleLine[] {
  const start = index * tileWidth;
  const own = rows.filter(({ log_index: at }) => at >= start && at < start + width);
  return [
    { type: 'tile', epoch, index, hashes: encodeBase64(bytes) },
    ...own.map((row) => recordLine(epoch, row)),
  ];
}

function recordLine(epoch: number, row: PlacedRow): BundleLine {
  const { log_index: index, own, seed, openings } = row;
  return {
    type: 'record',
    epoch,
    index,
    own,
    record: toActivity(row, { personal: true }),
    ...(seed ? { seed: encodeBase64(seed) } : openings ? { openings: encodeBase64(openings) } : {}),
  };
}

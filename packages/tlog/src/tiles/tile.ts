import { checkInteger } from '../tree/size.ts';

/** Hashes of a full tile and entries of a full bundle (C2SP tlog-tiles, "Merkle Tree"). */
export const tileWidth = 256;

/** Tree levels that one tile spans: 256 is 2^8. */
export const tileHeight = 8;

/**
 * A tile of a log (C2SP tlog-tiles): the hashes from `index * 256` on, `width` of them, where a hash of
 * `level` covers 256^level entries. Full at width 256, partial below.
 */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** A bundle of the entries from `index * 256` on, `width` of them. */
export interface Bundle {
  readonly index: number;
  readonly width: number;
}

/** How many hashes a level of tiles has in a tree of this size. */
export function hashesAtLevel(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level);
}

/**
 * The tile at this place in a tree of this size, with the width that it has there.
 *
 * Errors  `bad_argument` where the tree has no such tile.
 */
export function tileAt({ level, index }: Omit<Tile, 'width'>, size: number): Tile {
  checkInteger(size, { name: 'size' });
  checkInteger(level, { name: 'the level of a tile', max: 63 });
  const count = hashesAtLevel(level, size);
  checkInteger(index, {
    name: `the index of a tile of level ${level}`,
    max: Math.ceil(count / tileWidth) - 1,
  });
  return { level, index, width: Math.min(tileWidth, count - index * tileWidth) };
}

/**
 * The tiles that growth from one size to another writes, level by level: those that become full and the
 * partial ones of the new size that differ from before. From 0, all tiles of a tree.
 */
export function* tilesWritten(from: number, to: number): Generator<Tile> {
  checkInteger(to, { name: 'the larger size' });
  checkInteger(from, { name: 'the smaller size', max: to });
  for (let level = 0; hashesAtLevel(level, to) > 0; level += 1) {
    const before = hashesAtLevel(level, from);
    const after = hashesAtLevel(level, to);
    if (before === after) break;
    for (let index = Math.floor(before / tileWidth); index * tileWidth < after; index += 1) {
      yield { level, index, width: Math.min(tileWidth, after - index * tileWidth) };
    }
  }
}

/** The entry bundles that growth from one size to another writes; they lie as the tiles of level 0 do. */
export function* bundlesWritten(from: number, to: number): Generator<Bundle> {
  for (const { level, index, width } of tilesWritten(from, to)) {
    if (level > 0) return;
    yield { index, width };
  }
}

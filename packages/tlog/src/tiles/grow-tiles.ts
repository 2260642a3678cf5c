import { concatBytes } from '../bytes.ts';
import { TlogError } from '../tlog-error.ts';
import { checkHash, emptyRoot, hashBytes, splitHashes } from '../tree/hash.ts';
import { checkInteger } from '../tree/size.ts';
import { foldHashes, subtreesOf } from '../tree/subtrees.ts';
import { hashesAtLevel, type Tile, tileHeight, tileWidth } from './tile.ts';
import { hashInTile, hashTile } from './tile-hash.ts';

/**
 * What must be kept of a log to write its further tiles and to compute its root: for each level the
 * partial tile on the right, empty where all tiles are full. Plain data, to persist.
 */
export interface TileEdge {
  readonly size: number;
  readonly tiles: readonly Uint8Array[];
}

export interface WrittenTile {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

export const emptyEdge: TileEdge = { size: 0, tiles: [] };

/**
 * Append entries by their leaf hashes, and tell the tiles to write: those of `tilesWritten`, in its order.
 * The given edge stays as it is.
 */
export function growTiles(
  edge: TileEdge,
  leafHashes: readonly Uint8Array[],
): { edge: TileEdge; written: WrittenTile[] } {
  checkEdge(edge);
  const size = edge.size + leafHashes.length;
  checkInteger(size, { name: 'the size' });
  for (const hash of leafHashes) checkHash(hash);
  const tiles = [...edge.tiles];
  const written: WrittenTile[] = [];
  let added = leafHashes;
  for (let level = 0; added.length > 0; level += 1) {
    const firstIndex = Math.floor(hashesAtLevel(level, edge.size) / tileWidth);
    const cut = cutTiles(concatBytes([tiles[level] ?? new Uint8Array(), ...added]));
    for (const [at, bytes] of cut.entries()) {
      const width = bytes.length / hashBytes;
      if (width > 0) written.push({ tile: { level, index: firstIndex + at, width }, bytes });
    }
    tiles[level] = cut.at(-1) as Uint8Array;
    added = cut.slice(0, -1).map(hashTile);
  }
  return { edge: { size, tiles }, written };
}

/** The root of the tree of `edge.size` entries (RFC 6962, section 2.1). */
export function rootOfEdge(edge: TileEdge): Uint8Array {
  checkEdge(edge);
  const hashes = subtreesOf(0, edge.size).map((node) =>
    hashInTile(node, edge.tiles[Math.floor(node.level / tileHeight)] as Uint8Array),
  );
  return foldHashes(hashes) ?? emptyRoot;
}

/**
 * The root of the tree with these leaf hashes, which stand one after the other (RFC 6962, section 2.1). Tile by tile,
 * and so with four nodes at a time, which `rootOf` has no lanes for.
 */
export function rootOfLeaves(hashes: Uint8Array): Uint8Array {
  return rootOfEdge(growTiles(emptyEdge, splitHashes(hashes)).edge);
}

/** Full tiles, and last the partial one, which may be empty. */
function cutTiles(hashes: Uint8Array): Uint8Array[] {
  const fullBytes = tileWidth * hashBytes;
  const count = Math.floor(hashes.length / fullBytes) + 1;
  return Array.from({ length: count }, (_, at) => hashes.slice(at * fullBytes, (at + 1) * fullBytes));
}

function checkEdge({ size, tiles }: TileEdge): void {
  checkInteger(size, { name: 'the size' });
  for (let level = 0; level < tiles.length || hashesAtLevel(level, size) > 0; level += 1) {
    const width = hashesAtLevel(level, size) % tileWidth;
    if ((tiles[level]?.length ?? 0) !== width * hashBytes) {
      throw new TlogError('bad_argument', `the edge of level ${level} must have ${width} hashes`);
    }
  }
}

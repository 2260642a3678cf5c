import { equalBytes } from '../bytes.ts';
import { TlogError } from '../tlog-error.ts';
import { emptyRoot } from '../tree/hash.ts';
import { foldHashes, type HashReader, type NodeId, subtreesOf } from '../tree/subtrees.ts';
import type { TreeHead } from '../tree/verify-inclusion.ts';
import { type Tile, tileAt, tileWidth } from './tile.ts';
import { hashInTile, hashTile, readTile, tileOfNode } from './tile-hash.ts';
import { tilePath } from './tile-path.ts';

/** Bytes of tiles by their path. */
export type TileBytes = ReadonlyMap<string, Uint8Array>;

/**
 * The tiles to fetch so that `verifiedReader` can read these nodes: those that hold them, those above that
 * vouch for them, and the partial ones on the right, which fold into the root. The highest level first.
 */
export function tilesForNodes(nodes: Iterable<NodeId>, size: number): Tile[] {
  const needed = new Map<string, Tile>();
  const need = (tile: Tile): void => {
    const path = tilePath(tile);
    if (needed.has(path)) return;
    needed.set(path, tile);
    if (tile.width === tileWidth) need(tileAbove(tile, size));
  };
  for (const node of subtreesOf(0, size)) need(tileOfNode(node, size));
  for (const node of nodes) need(tileOfNode(node, size));
  return [...needed.values()].toSorted((a, b) => b.level - a.level || a.index - b.index);
}

/**
 * A reader over tiles that are taken as they are: for a log that reads its own storage.
 *
 * Errors  of the reader: `missing_tile`; `bad_tile` for a tile of another length; `bad_argument` for a node
 *         that the tree does not have.
 */
export function tileReader(size: number, tiles: TileBytes): HashReader {
  return (node) => {
    const tile = tileOfNode(node, size);
    return hashInTile(node, find(tile, tiles));
  };
}

/**
 * A reader over tiles from anywhere, which trusts none that does not lead to the root of the tree.
 *
 * Errors  those of `tileReader`, and `root_mismatch` for tiles of another tree: at once for the partial
 *         ones on the right, when it is read for any other.
 */
export function verifiedReader({ size, root }: TreeHead, tiles: TileBytes): HashReader {
  const read = tileReader(size, tiles);
  const computed = foldHashes(subtreesOf(0, size).map((node) => read(node))) ?? emptyRoot;
  if (!equalBytes(computed, root)) throw new TlogError('root_mismatch', 'the tiles lead to another root');

  const trusted = new Map<string, Uint8Array>();
  // The hashes of a partial tile all went into the root; a full tile is vouched for by the one above.
  const trust = (tile: Tile): Uint8Array => {
    const path = tilePath(tile);
    const known = trusted.get(path);
    if (known) return known;
    const bytes = find(tile, tiles);
    if (tile.width === tileWidth) {
      const above = trust(tileAbove(tile, size));
      const expected = hashInTile({ level: 0, index: tile.index % tileWidth }, above);
      if (!equalBytes(hashTile(bytes), expected)) {
        throw new TlogError('root_mismatch', `${path} leads to another root`);
      }
    }
    trusted.set(path, bytes);
    return bytes;
  };
  return (node) => hashInTile(node, trust(tileOfNode(node, size)));
}

function tileAbove({ level, index }: Tile, size: number): Tile {
  return tileAt({ level: level + 1, index: Math.floor(index / tileWidth) }, size);
}

function find(tile: Tile, tiles: TileBytes): Uint8Array {
  const path = tilePath(tile);
  const served = tiles.get(path);
  if (!served) throw new TlogError('missing_tile', `${path} is needed and was not given`);
  return readTile(tile, served);
}

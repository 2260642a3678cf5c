import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import { checkInteger } from '../tree/size.ts';
import type { NodeId } from '../tree/subtrees.ts';
import { perfectRoot } from './perfect-root.ts';
import { type Tile, tileAt, tileHeight, tileWidth } from './tile.ts';
import { tilePath } from './tile-path.ts';

/** The tile of a tree of this size in which a node lies, or can be computed from. */
export function tileOfNode(node: NodeId, size: number): Tile {
  checkInteger(node.level, { name: 'the level of a node', max: 63 });
  const { level, first } = placeOf(node);
  return tileAt({ level, index: Math.floor(first / tileWidth) }, size);
}

/** The hash of a node, from the bytes of the tile that `tileOfNode` names. */
export function hashInTile(node: NodeId, bytes: Uint8Array): Uint8Array {
  const { first, count } = placeOf(node);
  const start = first % tileWidth;
  if ((start + count) * hashBytes > bytes.length) {
    throw new TlogError('bad_argument', `node ${node.index} of level ${node.level} is not complete`);
  }
  return perfectRoot(bytes.subarray(start * hashBytes, (start + count) * hashBytes));
}

/** The Merkle tree hash of a full tile: what the level above holds for it. */
export function hashTile(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== tileWidth * hashBytes) {
    throw new TlogError('bad_argument', 'only a full tile has a hash in the level above');
  }
  return perfectRoot(bytes);
}

/**
 * The bytes of a tile as they were served, cut to its width: a log may drop a partial tile once the full
 * one is there, which begins with the same hashes (C2SP tlog-tiles, "Partial Tiles").
 *
 * Errors  `bad_tile` for any other number of bytes.
 */
export function readTile(tile: Tile, served: Uint8Array): Uint8Array {
  const length = tile.width * hashBytes;
  if (served.length !== length && served.length !== tileWidth * hashBytes) {
    throw new TlogError('bad_tile', `${tilePath(tile)} has ${length} bytes, not ${served.length}`);
  }
  return served.subarray(0, length);
}

/** A node is made of `count` hashes of its level of tiles, from the hash `first` on. */
function placeOf({ level, index }: NodeId): { level: number; first: number; count: number } {
  const count = 2 ** (level % tileHeight);
  return { level: Math.floor(level / tileHeight), first: index * count, count };
}

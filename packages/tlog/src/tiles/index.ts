export { decodeBundle, encodeBundle, verifyBundle } from './entry-bundle.ts';
export {
  emptyEdge,
  growTiles,
  rootOfEdge,
  rootOfLeaves,
  type TileEdge,
  type WrittenTile,
} from './grow-tiles.ts';
export { type Bundle, bundlesWritten, type Tile, tileAt, tilesWritten, tileWidth } from './tile.ts';
export { hashInTile, hashTile, readTile, tileOfNode } from './tile-hash.ts';
export { bundlePath, parseTilePath, type TileResource, tilePath } from './tile-path.ts';
export { type TileBytes, tileReader, tilesForNodes, verifiedReader } from './tile-reader.ts';

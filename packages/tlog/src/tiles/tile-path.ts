import { TlogError } from '../tlog-error.ts';
import { checkInteger } from '../tree/size.ts';
import { type Bundle, type Tile, tileWidth } from './tile.ts';

/** What a path names: a tile of hashes or a bundle of entries. */
export type TileResource = ({ readonly kind: 'tile' } & Tile) | ({ readonly kind: 'entries' } & Bundle);

/** `tile/<L>/<N>[.p/<W>]`, below a log's prefix (C2SP tlog-tiles, "Merkle Tree"). */
export function tilePath({ level, ...place }: Tile): string {
  checkInteger(level, { name: 'the level of a tile', max: 63 });
  return `tile/${level}/${placePath(place)}`;
}

/** `tile/entries/<N>[.p/<W>]`, below a log's prefix (C2SP tlog-tiles, "Log entries"). */
export function bundlePath(place: Bundle): string {
  return `tile/entries/${placePath(place)}`;
}

/** The tile or bundle that a path names; any text that the two functions above do not write is `bad_tile`. */
export function parseTilePath(path: string): TileResource {
  const [, kind, digits, partial] =
    /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? [];
  const index = Number(digits?.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? tileWidth : Number(partial);
  const level = kind === 'entries' ? 0 : Number(kind);
  // Written again it must be the same: one resource has one path.
  const known = Number.isSafeInteger(index) && level <= 63 && width >= 1 && width <= tileWidth;
  const written =
    known && (kind === 'entries' ? bundlePath({ index, width }) : tilePath({ level, index, width }));
  if (written !== path) throw new TlogError('bad_tile', 'expected the path of a tile or of an entry bundle');
  return kind === 'entries' ? { kind, index, width } : { kind: 'tile', level, index, width };
}

function placePath({ index, width }: Bundle): string {
  checkInteger(index, { name: 'the index of a tile' });
  checkInteger(width, { name: 'the width of a tile', min: 1, max: tileWidth });
  let rest = Math.floor(index / 1_000);
  let path = pad(index % 1_000);
  for (; rest > 0; rest = Math.floor(rest / 1_000)) path = `x${pad(rest % 1_000)}/${path}`;
  return width === tileWidth ? path : `${path}.p/${width}`;
}

function pad(number: number): string {
  return String(number).padStart(3, '0');
}

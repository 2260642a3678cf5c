import { concatBytes, equalBytes } from '../bytes.ts';
import { limits } from '../limits.ts';
import { TlogError } from '../tlog-error.ts';
import { hashLeaf } from '../tree/hash.ts';
import { tileWidth } from './tile.ts';

/**
 * The bytes of an entry bundle: each entry behind its length as a big-endian uint16.
 *
 * Limits  1 to 256 entries, each of at most 65,535 bytes.
 * Source  C2SP tlog-tiles, "Log entries".
 */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  checkCount(entries.length);
  return concatBytes(
    entries.flatMap((entry) => {
      if (entry.length > limits.entryBytesMax) {
        throw new TlogError('too_large', `an entry has at most ${limits.entryBytesMax} bytes`);
      }
      return [Uint8Array.of(entry.length >> 8, entry.length & 255), entry];
    }),
  );
}

/** The entries of a bundle of this width, as views of its bytes; anything more or less is `bad_bundle`. */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  checkCount(width);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (entries.length < width) {
    const start = at + 2;
    const [high, low] = bytes.subarray(at, start);
    if (high === undefined || low === undefined) throw new TlogError('bad_bundle', 'the bundle ends early');
    at = start + high * 256 + low;
    if (at > bytes.length) throw new TlogError('bad_bundle', 'an entry ends behind its bundle');
    entries.push(bytes.subarray(start, at));
  }
  if (at !== bytes.length) throw new TlogError('bad_bundle', `the bundle goes on behind entry ${width}`);
  return entries;
}

/** Check that entries hash to the tile of level 0 in their place; otherwise `root_mismatch`. */
export function verifyBundle(entries: readonly Uint8Array[], tile: Uint8Array): void {
  if (!equalBytes(concatBytes(entries.map(hashLeaf)), tile)) {
    throw new TlogError('root_mismatch', 'the entries of the bundle do not hash to its tile');
  }
}

function checkCount(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > tileWidth) {
    throw new TlogError('bad_argument', `a bundle has 1 to ${tileWidth} entries`);
  }
}

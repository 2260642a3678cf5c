import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../bytes.ts';
import { attempt, leavesOf, mangled, naiveRoot, reasonOf, turnBit } from '../testing.ts';
import { TlogError } from '../tlog-error.ts';
import { rootOf } from '../tree/compact-range.ts';
import { consistencyRanges, inclusionRanges, nodesOfProof, readProof } from '../tree/proof-ranges.ts';
import { readerOf } from '../tree/subtrees.ts';
import { decodeBundle, encodeBundle, verifyBundle } from './entry-bundle.ts';
import { emptyEdge, growTiles, rootOfEdge, rootOfLeaves } from './grow-tiles.ts';
import { bundlesWritten, type Tile, tilesWritten } from './tile.ts';
import { bundlePath, parseTilePath, tilePath } from './tile-path.ts';
import { tileReader, tilesForNodes, verifiedReader } from './tile-reader.ts';

const utf8 = new TextEncoder();

/** Sizes around the edges of tiles and of levels of tiles. */
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 1_100 }),
  fc.constantFrom(255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 66_000),
);
const manyLeaves = leavesOf(66_000);

function tilesOf(size: number, from = 0) {
  const start = growTiles(emptyEdge, manyLeaves.slice(0, from));
  return growTiles(start.edge, manyLeaves.slice(from, size)).written;
}

/** Why a node of the tree of 300 cannot be read from these tiles. */
function read(given: ReadonlyMap<string, Uint8Array>, level = 0, index = 299): string {
  return reasonOf(() => tileReader(300, given)({ level, index }));
}

function tileMap(size: number): Map<string, Uint8Array> {
  return new Map(tilesOf(size).map(({ tile, bytes }) => [tilePath(tile), bytes]));
}

describe('paths', () => {
  test('a path has the form of the specification', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 63, index: 0, width: 1 })).toBe('tile/63/000.p/1');
    expect(bundlePath({ index: 1_000, width: 255 })).toBe('tile/entries/x001/000.p/255');
  });

  test('every place has one path, and the path leads back to it', () => {
    const place = fc.record({
      level: fc.nat(63),
      index: fc.oneof(fc.maxSafeNat(), fc.nat(2_000)),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(place, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual({ kind: 'tile', ...tile });
        const { index, width } = tile;
        expect(parseTilePath(bundlePath(tile))).toEqual({ kind: 'entries', index, width });
      }),
    );
  });

  test.each([
    '',
    'tile/0/0',
    'tile/0/0000',
    'tile/0/1000',
    'tile/0/x000/067',
    'tile/0/x01/067',
    'tile/0/001/067',
    'tile/0/x001',
    'tile/00/001',
    'tile/64/001',
    'tile/-1/001',
    'tile/0/001.p/0',
    'tile/0/001.p/256',
    'tile/0/001.p/01',
    'tile/0/001.p/',
    'tile/0/001/',
    '/tile/0/001',
    'tile/entry/001',
    'tile/0/001\n',
    'tile/0/x999/x999/x999/x999/x999/999',
    'checkpoint',
  ])('%j is no path', (path) => {
    expect(reasonOf(() => parseTilePath(path))).toBe('bad_tile');
  });

  test('any other text is refused or is the path of what was read', () => {
    const texts = mangled(utf8.encode('tile/0/x001/067.p/12')).map((bytes) => Buffer.from(bytes).toString());
    fc.assert(
      fc.property(texts, (path) => {
        const read = attempt(() => parseTilePath(path));
        if (read instanceof TlogError) return;
        expect(read.kind === 'tile' ? tilePath(read) : bundlePath(read)).toBe(path);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('which tiles a log writes', () => {
  test('a tree of 70,000 has the tiles that the specification counts', () => {
    const tiles = [...tilesWritten(0, 70_000)];
    const of = (level: number, full: boolean) =>
      tiles.filter((tile) => tile.level === level && (tile.width === 256) === full).map(({ width }) => width);
    expect([0, 1, 2].map((level) => of(level, true).length)).toEqual([273, 1, 0]);
    expect([0, 1, 2].map((level) => of(level, false))).toEqual([[112], [17], [1]]);
    expect([...bundlesWritten(0, 70_000)]).toHaveLength(274);
    expect([...tilesWritten(0, 256)]).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
  });

  test('growth writes what the larger tree has and the smaller one had not', () => {
    const both = fc.tuple(fc.nat(140_000), fc.nat(140_000)).map((pair) => pair.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(both, ([from, to]) => {
        const before = new Set([...tilesWritten(0, from as number)].map(tilePath));
        const expected = [...tilesWritten(0, to as number)].map(tilePath).filter((path) => !before.has(path));
        expect([...tilesWritten(from as number, to as number)].map(tilePath)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('growing by any steps writes the tiles named, and ends in the same edge and root', () => {
    const steps = fc.array(fc.nat(700), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(steps, (steps) => {
        let edge = emptyEdge;
        const stored = new Map<string, Uint8Array>();
        for (const step of steps) {
          const grown = growTiles(edge, manyLeaves.slice(edge.size, edge.size + step));
          expect(grown.written.map(({ tile }) => tile)).toEqual([
            ...tilesWritten(edge.size, grown.edge.size),
          ]);
          for (const { tile, bytes } of grown.written) stored.set(tilePath(tile), bytes);
          edge = grown.edge;
          expect(rootOfEdge(edge)).toEqual(rootOf(manyLeaves.slice(0, edge.size)));
          expect(rootOfLeaves(concatBytes(manyLeaves.slice(0, edge.size)))).toEqual(rootOfEdge(edge));
        }
        for (const [path, bytes] of tileMap(edge.size)) expect(stored.get(path)).toEqual(bytes);
      }),
      { numRuns: 30 },
    );
  });

  test('an edge that does not fit its size is refused', () => {
    const { edge } = growTiles(emptyEdge, manyLeaves.slice(0, 300));
    for (const broken of [
      { ...edge, size: 299 },
      { ...edge, size: 2 ** 53 },
      { size: 300, tiles: [] },
    ]) {
      expect(reasonOf(() => rootOfEdge(broken))).toBe('bad_argument');
      expect(reasonOf(() => growTiles(broken, []))).toBe('bad_argument');
    }
    expect(reasonOf(() => growTiles(edge, [new Uint8Array(31)]))).toBe('bad_argument');
  });
});

describe('reading from tiles', () => {
  test('proofs from tiles equal those from all leaves', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size, somewhere) => {
        const leaves = manyLeaves.slice(0, size);
        const head = { size, root: rootOf(leaves) };
        const ranges = [
          ...inclusionRanges(somewhere % size, size),
          ...consistencyRanges((somewhere % size) + 1, size),
        ];
        const all = tileMap(size);
        const needed = tilesForNodes(nodesOfProof(ranges), size);
        const fetched = new Map(
          needed.map((tile) => [tilePath(tile), all.get(tilePath(tile)) as Uint8Array]),
        );
        const proof = readProof(ranges, readerOf(leaves));
        expect(readProof(ranges, verifiedReader(head, fetched))).toEqual(proof);
        expect(readProof(ranges, tileReader(size, fetched))).toEqual(proof);
      }),
      { numRuns: 30 },
    );
  });

  test('a tile with a bit turned is never read from', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 255, 256, 300, 513, 1_000), fc.nat(), fc.nat(), (size, which, bit) => {
        const head = { size, root: naiveRoot(manyLeaves.slice(0, size)) };
        const tiles = tilesOf(size);
        const { tile, bytes } = tiles[which % tiles.length] as { tile: Tile; bytes: Uint8Array };
        const broken = tileMap(size).set(tilePath(tile), turnBit(bytes, bit));
        const read = () => {
          const reader = verifiedReader(head, broken);
          for (let index = 0; index < size; index += 1) reader({ level: 0, index });
        };
        expect(reasonOf(read)).toBe('root_mismatch');
      }),
      { numRuns: 60 },
    );
  });

  test('a full tile serves where the partial one is gone', () => {
    const head = { size: 300, root: rootOf(manyLeaves.slice(0, 300)) };
    const tiles = tileMap(300);
    tiles.set('tile/0/001.p/44', tileMap(512).get('tile/0/001') as Uint8Array);
    expect(verifiedReader(head, tiles)({ level: 0, index: 299 })).toEqual(manyLeaves[299]);
  });

  test('a tile that is missing, of another length or beyond the tree is refused', () => {
    const tiles = tileMap(300);
    expect(read(new Map())).toBe('missing_tile');
    expect(read(new Map(tiles).set('tile/0/001.p/44', new Uint8Array(32)))).toBe('bad_tile');
    expect(read(tiles)).toBe('accepted');
    expect(read(tiles, 0, 300)).toBe('bad_argument');
    expect(read(tiles, 2, 75)).toBe('bad_argument');
    expect(read(tiles, 9, 0)).toBe('bad_argument');
    expect(read(tiles, 64, 0)).toBe('bad_argument');
    expect(read(tiles, 0, -1)).toBe('bad_argument');
  });

  test('the empty tree has its root and nothing to read', () => {
    const empty = { size: 0, root: rootOf([]) };
    expect(reasonOf(() => verifiedReader({ size: 0, root: new Uint8Array(32) }, new Map()))).toBe(
      'root_mismatch',
    );
    expect(reasonOf(() => verifiedReader(empty, new Map())({ level: 0, index: 0 }))).toBe('bad_argument');
  });
});

describe('entry bundles', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 12 });

  test('entries come back as they went in', () => {
    fc.assert(
      fc.property(entries, (entries) => {
        expect(decodeBundle(encodeBundle(entries), entries.length)).toEqual(entries);
      }),
    );
    const largest = [new Uint8Array(65_535).fill(9)];
    expect(decodeBundle(encodeBundle(largest), 1)).toEqual(largest);
    expect(encodeBundle([Uint8Array.of(7), new Uint8Array()])).toEqual(Uint8Array.of(0, 1, 7, 0, 0));
  });

  test('a bundle of other bytes or another width is refused, or is what those bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (bytes, width) => {
        const read = attempt(() => decodeBundle(bytes, width));
        if (read instanceof TlogError) expect(read.reason).toBe('bad_bundle');
        else expect(encodeBundle(read)).toEqual(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  test('what no bundle can hold is refused', () => {
    expect(reasonOf(() => encodeBundle([new Uint8Array(65_536)]))).toBe('too_large');
    expect(reasonOf(() => encodeBundle([]))).toBe('bad_argument');
    expect(reasonOf(() => encodeBundle(Array.from({ length: 257 }, () => new Uint8Array())))).toBe(
      'bad_argument',
    );
    expect(reasonOf(() => decodeBundle(new Uint8Array(), 0))).toBe('bad_argument');
  });

  test('entries hash to their tile or are refused', () => {
    const all = Array.from({ length: 5 }, (_, index) => Uint8Array.of(0, 0, index));
    const tile = tileMap(5).get('tile/0/000.p/5') as Uint8Array;
    verifyBundle(all, tile);
    expect(reasonOf(() => verifyBundle(all.toReversed(), tile))).toBe('root_mismatch');
    expect(reasonOf(() => verifyBundle(all.slice(1), tile))).toBe('root_mismatch');
  });
});

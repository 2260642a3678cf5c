import { describe, expect, test } from 'vitest';
import { concatBytes } from '../bytes.ts';
import { naiveRoot, reasonOf } from '../testing.ts';
import { emptyRoot, hashLeaf } from '../tree/hash.ts';
import { type ErasureItem, hashItem, manifestRoot, type PurgeItem } from './manifest.ts';

const salt = new Uint8Array(16).fill(5);
const rest = new Uint8Array(32).fill(6);
const erasure: ErasureItem = { epoch: 1, index: 300, slotCount: 10, slots: Uint8Array.of(0b110, 0b10), rest };
const purge: PurgeItem = { epoch: 2, start: 256, end: 2 ** 40 };

test('an item is hashed under the salt of its manifest, each number with its highest byte first', () => {
  const bytes = Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 44, 0, 10, 0b110, 0b10, ...rest);
  expect(hashItem(salt, erasure)).toEqual(hashLeaf(concatBytes([salt, bytes])));
  const range = Uint8Array.of(2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0);
  expect(hashItem(salt, purge)).toEqual(hashLeaf(concatBytes([salt, range])));
});

test('the root is that of the tree of the items', () => {
  const items = [erasure, { ...erasure, index: 301 }, { ...erasure, epoch: 2, index: 0 }];
  expect(manifestRoot({ kind: 'erasure', salt, items })).toEqual(
    naiveRoot(items.map((item) => hashItem(salt, item))),
  );
  expect(manifestRoot({ kind: 'purge', salt, items: [] })).toEqual(emptyRoot);
  const touching = [purge, { ...purge, start: purge.end, end: purge.end + 1 }];
  expect(manifestRoot({ kind: 'purge', salt, items: touching })).toBeInstanceOf(Uint8Array);
});

describe('refused is', () => {
  test.each<[string, ErasureItem[]]>([
    ['an item twice', [erasure, erasure]],
    ['an index before the last', [erasure, { ...erasure, index: 299 }]],
    ['an epoch before the last', [{ ...erasure, epoch: 2 }, erasure]],
  ])('%s', (_, items) => {
    expect(reasonOf(() => manifestRoot({ kind: 'erasure', salt, items }))).toBe('bad_argument');
  });

  test.each<[string, ErasureItem | PurgeItem]>([
    ['an epoch before the first', { ...erasure, epoch: 0 }],
    ['an epoch that does not fit', { ...purge, epoch: 2 ** 32 }],
    ['a negative index', { ...erasure, index: -1 }],
    ['an index that is no integer', { ...erasure, index: 0.5 }],
    ['an index that numbers do not hold', { ...erasure, index: 2 ** 53 - 1 }],
    ['no slot', { ...erasure, slotCount: 0, slots: new Uint8Array() }],
    ['more slots than an entry has', { ...erasure, slotCount: 531, slots: new Uint8Array(67) }],
    ['too few bits', { ...erasure, slots: Uint8Array.of(1) }],
    ['too many bytes of bits', { ...erasure, slots: Uint8Array.of(1, 1, 0) }],
    ['the bit of a slot that is not there', { ...erasure, slots: Uint8Array.of(1, 0b100) }],
    ['a rest of another length', { ...erasure, rest: rest.slice(1) }],
    ['a range of nothing', { ...purge, end: purge.start }],
    ['a range that ends before its start', { ...purge, end: 1 }],
    ['a range that numbers do not hold', { ...purge, end: 2 ** 53 }],
  ])('%s', (_, item) => {
    expect(reasonOf(() => hashItem(salt, item))).toBe('bad_argument');
  });

  test('a range that overlaps another', () => {
    const items = [purge, { ...purge, start: purge.end - 1, end: purge.end + 1 }];
    expect(reasonOf(() => manifestRoot({ kind: 'purge', salt, items }))).toBe('bad_argument');
  });

  test('a salt of another length', () => {
    expect(reasonOf(() => hashItem(salt.slice(1), erasure))).toBe('bad_argument');
  });
});

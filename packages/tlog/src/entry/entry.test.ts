import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attempt, mangled, reasonOf } from '../testing.ts';
import { decodeEntry, type Entry, encodeEntry, slotNumbers } from './entry.ts';
import { rebuildEntry } from './rebuild-entry.ts';
import { anyRecord, anySeed, wholeRecord } from './testing.ts';

const seed = new Uint8Array(16).fill(7);
const { bytes } = rebuildEntry(wholeRecord, { seed });
const entry = decodeEntry(bytes);

describe('the bytes of an entry', () => {
  test('say what the record is beside its slots, and are written as they were read', () => {
    fc.assert(
      fc.property(anyRecord, anySeed, (record, seed) => {
        const { bytes, slots } = rebuildEntry(record, { seed });
        const decoded = decodeEntry(bytes);
        const { id, recordedAt, own = false } = record;
        expect(decoded).toMatchObject({ id, recordedAt, own });
        expect(slotNumbers(decoded)).toEqual(slots.map(({ number }) => number));
        expect(encodeEntry(decoded)).toEqual(bytes);
      }),
    );
  });

  test('are refused, or written as they were read, however they are mangled', () => {
    fc.assert(
      fc.property(mangled(bytes), (bytes) => {
        const decoded = attempt(() => decodeEntry(bytes));
        if (!(decoded instanceof Error)) expect(encodeEntry(decoded)).toEqual(bytes);
      }),
    );
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['nothing', () => new Uint8Array()],
    ['half a header', (bytes) => bytes.slice(0, 35)],
    ['another version', (bytes) => bytes.with(0, 2)],
    ['another kind', (bytes) => bytes.with(1, 3)],
    ['no kind', (bytes) => bytes.with(1, 0)],
    ['another table of slots', (bytes) => bytes.with(3, 2)],
    ['a slot that is not known', (bytes) => bytes.with(4, 1)],
    ['no core', (bytes) => bytes.with(7, (bytes[7] ?? 0) & 0xfe)],
    ['257 keys', (bytes) => bytes.with(8, 1).with(9, 1)],
    ['a time beyond the last', (bytes) => bytes.with(12, 1)],
    ['a commitment too few', (bytes) => bytes.slice(0, -32)],
    ['a byte too many', (bytes) => Uint8Array.of(...bytes, 0)],
  ])('are refused with %s', (_, change) => {
    expect(reasonOf(() => decodeEntry(change(bytes)))).toBe('bad_entry');
  });
});

test.each<[string, Partial<Entry>]>([
  ['a commitment too few', { commitments: entry.commitments.slice(1) }],
  ['a commitment of another length', { commitments: entry.commitments.with(1, new Uint8Array(31)) }],
  ['a slot that is not known', { bitmap: entry.bitmap | (1 << 18) }],
  ['no core', { bitmap: entry.bitmap - 1 }],
  ['a bitmap that is none', { bitmap: entry.bitmap + 2 ** 32 }],
  ['a negative bitmap', { bitmap: -1 }],
  ['257 keys', { metadata: 257 }],
  ['a part of a key', { metadata: 1.5 }],
  ['fewer keys than none', { details: -1 }],
  ['an id in capitals', { id: entry.id.toUpperCase().replace('0', 'A') }],
  ['an id with more behind it', { id: `${entry.id}\n` }],
  ['no time', { recordedAt: new Date(Number.NaN) }],
  ['a time before 1970', { recordedAt: new Date(-1) }],
])('an entry is not written with %s', (_, part) => {
  expect(reasonOf(() => encodeEntry({ ...entry, ...part }))).toBe('bad_entry');
});

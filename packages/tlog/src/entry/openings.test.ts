import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attempt, mangled, reasonOf } from '../testing.ts';
import { decodeOpenings, encodeOpenings, type Openings } from './openings.ts';
import { openingsOf } from './rebuild-entry.ts';
import { wholeRecord } from './testing.ts';

const whole = openingsOf(wholeRecord, new Uint8Array(16).fill(7));
const commitment = new Uint8Array(32).fill(8);
const openings: Openings = {
  ...whole,
  slots: whole.slots
    .with(1, { state: 'gone', commitment })
    .with(2, { state: 'replaced', commitment })
    .with(3, { state: 'withheld', commitment }),
  restSalt: new Uint8Array(16).fill(9),
};
const bytes = encodeOpenings(openings);

describe('the bytes of openings', () => {
  test.each([whole, openings])('are read as they were written', (openings) => {
    expect(decodeOpenings(encodeOpenings(openings))).toEqual(openings);
  });

  test('may be a view of others, and change nothing when they change', () => {
    const pool = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
    const decoded = decodeOpenings(pool.subarray(6, 6 + bytes.length));
    pool.fill(0);
    expect(decoded).toEqual(openings);
    expect(encodeOpenings(decoded)).toEqual(bytes);
  });

  test('are refused, or written as they were read, however they are mangled', () => {
    fc.assert(
      fc.property(fc.oneof(mangled(bytes), fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const decoded = attempt(() => decodeOpenings(bytes));
        if (!(decoded instanceof Error)) expect(encodeOpenings(decoded)).toEqual(bytes);
      }),
    );
  });

  test.each<[string, string, (bytes: Uint8Array) => Uint8Array]>([
    ['nothing', 'bad_opening', () => new Uint8Array()],
    ['another version', 'bad_opening', (bytes) => bytes.with(0, 2)],
    ['another flag', 'bad_opening', (bytes) => bytes.with(1, 2)],
    ['no core', 'bad_entry', (bytes) => bytes.with(5, (bytes[5] ?? 0) & 0xfe)],
    ['257 keys', 'bad_entry', (bytes) => bytes.with(8, 1).with(9, 1)],
    ['a state that there is not', 'bad_opening', (bytes) => bytes.with(10, 4)],
    ['a core that is not open', 'bad_opening', (bytes) => bytes.with(10, 1)],
    ['an early end', 'bad_opening', (bytes) => bytes.slice(0, -1)],
    ['an end before the slots', 'bad_opening', (bytes) => bytes.slice(0, 10)],
    ['something behind them', 'bad_opening', (bytes) => Uint8Array.of(...bytes, 0)],
  ])('are refused with %s', (_, reason, change) => {
    expect(reasonOf(() => decodeOpenings(change(bytes)))).toBe(reason);
  });
});

test.each<[string, string, Partial<Openings>]>([
  ['a slot too few', 'bad_opening', { slots: whole.slots.slice(1) }],
  ['a salt of another length', 'bad_opening', { slots: withSlot({ state: 'open', salt: commitment }) }],
  [
    'a commitment of another length',
    'bad_opening',
    { slots: withSlot({ state: 'gone', commitment: commitment.slice(1) }) },
  ],
  [
    'a core that is not open',
    'bad_opening',
    { slots: whole.slots.with(0, { state: 'replaced', commitment }) },
  ],
  ['a salt of the rest of another length', 'bad_opening', { restSalt: commitment }],
  ['a slot that is not known', 'bad_entry', { bitmap: whole.bitmap | (1 << 20) }],
  ['a part of a key', 'bad_entry', { details: 0.5 }],
])('openings are not written with %s', (_, reason, part) => {
  expect(reasonOf(() => encodeOpenings({ ...whole, ...part }))).toBe(reason);
});

function withSlot(slot: Openings['slots'][number]) {
  return whole.slots.with(1, slot);
}

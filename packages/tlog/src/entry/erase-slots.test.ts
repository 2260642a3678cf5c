import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reasonOf } from '../testing.ts';
import { deriveSalts } from './commitment.ts';
import { type Erasing, eraseSlots } from './erase-slots.ts';
import { decodeOpenings, encodeOpenings, type OpeningSlot, type Openings } from './openings.ts';
import { type Opening, openingsOf, rebuildEntry } from './rebuild-entry.ts';
import type { LoggedRecord } from './record.ts';
import { slotsOf } from './slots.ts';
import { anyRecord, anySalt, anySeed, cutRecord, cuts, wholeRecord } from './testing.ts';

const seed = new Uint8Array(16).fill(7);
const restSalt = new Uint8Array(16).fill(9);
const after: LoggedRecord = {
  ...wholeRecord,
  actor: { type: 'user', id: 'p_1' },
  tags: ['b'],
  metadata: { plan: 'pro', user: { email: null } },
  erased: ['actor.id', 'actor.label', 'metadata.*', 'metadata.user.email', 'tags'],
};
const erasing: Erasing = { before: wholeRecord, after, opening: { seed }, restSalt };

describe('an erasure', () => {
  test('keeps the leaf, and says of each slot what became of it', () => {
    const erased = eraseSlots(erasing);
    const rebuilt = rebuildEntry(after, { openings: erased.openings });
    expect(rebuilt.leaf).toEqual(rebuildEntry(wholeRecord, { seed }).leaf);
    const states = rebuilt.slots.map(({ number, state }) => [number, state]);
    expect(states).toEqual([
      [0, 'open'],
      [1, 'replaced'],
      [2, 'gone'],
      [4, 'open'],
      [9, 'open'],
      [17, 'replaced'],
      [256, 'gone'],
      [257, 'open'],
      [258, 'replaced'],
      [512, 'open'],
    ]);
    expect(rebuilt.erased).toEqual({ slots: Uint8Array.of(0b0110_0110, 0b1), rest: erased.rest });
  });

  test('of any values in any steps keeps the leaf, and what was erased cannot be told from what is kept', () => {
    fc.assert(
      fc.property(
        anyRecord,
        anySeed,
        fc.array(fc.tuple(cuts, anySalt), { minLength: 1, maxLength: 4 }),
        eraseInSteps,
      ),
      { numRuns: 200 },
    );
  });

  test('of every slot, one after the other, leaves the core alone', () => {
    let before = wholeRecord;
    let opening: Opening = { seed };
    const steps: Partial<LoggedRecord>[] = [
      { actor: { type: 'user', label: 'Alice' } },
      { actor: { type: 'user' } },
      { target: { type: 'invoice' } },
      { message: undefined },
      { tags: ['b'] },
      { tags: [] },
      { metadata: { plan: 'pro', n: 1 } },
      { metadata: { n: null } },
      { metadata: {} },
      { details: {} },
    ];
    for (const step of steps) {
      const next = { ...before, ...step, erased: [...(before.erased ?? []), 'something'] };
      const { openings, slots } = eraseSlots({ before, after: next, opening, restSalt });
      expect(rebuildEntry(next, { openings }).leaf).toEqual(rebuildEntry(wholeRecord, { seed }).leaf);
      expect(rebuildEntry(next, { openings }).erased?.slots).toEqual(slots);
      [before, opening] = [next, { openings }];
    }
    const { openings } = opening as { openings: Openings };
    expect(openings.slots.map(({ state }) => state)).toEqual([
      'open',
      ...Array.from({ length: 9 }, () => 'gone'),
    ]);
  });

  test('of what was null before still commits to its name', () => {
    const before = { ...wholeRecord, metadata: { email: null } };
    const names = ['metadata.email'];
    const erased = eraseSlots({ ...erasing, before, after: { ...before, erased: names } });
    expect(erased.slots.every((bits) => bits === 0)).toBe(true);
    const rest = (erased: readonly string[]) =>
      rebuildEntry({ ...before, erased }, { openings: decodeOpenings(encodeOpenings(openings)) }).erased
        ?.rest;
    const { openings } = erased;
    expect(rest(names)).toEqual(erased.rest);
    expect(rest([])).not.toEqual(erased.rest);
  });

  test.each<[string, string, Partial<Erasing>]>([
    ['another id', 'record_mismatch', { after: { ...after, id: after.id.replace('1', '2') } }],
    ['another time', 'record_mismatch', { after: { ...after, recordedAt: new Date(0) } }],
    ['another author', 'record_mismatch', { after: { ...after, own: true } }],
    ['another core', 'bad_opening', { after: { ...after, action: 'invoice.paid' } }],
    ['another type of the actor', 'bad_opening', { after: { ...after, actor: { type: 'worker' } } }],
    ['a field that was not there', 'record_mismatch', { after: { ...after, reason: 'none' } }],
    ['a key that was not there', 'record_mismatch', { after: { ...after, metadata: { other: 1 } } }],
    ['a seed of another length', 'bad_argument', { opening: { seed: seed.slice(1) } }],
    ['a salt of another length', 'bad_opening', { restSalt: seed.slice(1) }],
    [
      'openings of another record',
      'record_mismatch',
      {
        before: { ...wholeRecord, message: undefined },
        opening: { openings: openingsOf(wholeRecord, seed) },
      },
    ],
    ['openings that withhold something', 'bad_argument', { opening: { openings: withheld() } }],
    ['a whole record that names erased fields', 'record_mismatch', { before: after }],
  ])('is refused with %s', (_, reason, part) => {
    expect(reasonOf(() => eraseSlots({ ...erasing, ...part }))).toBe(reason);
  });
});

describe('an erased record', () => {
  const { openings, rest } = eraseSlots(erasing);

  test.each<[string, Partial<LoggedRecord>]>([
    ['a value where one has gone', { actor: { type: 'user', id: 'p_1', label: 'Bob' } }],
    ['no value where one was replaced', { actor: { type: 'user' } }],
    ['no value where one is open', { message: undefined }],
    ['a key more', { metadata: { ...after.metadata, zzz: 1 } }],
    ['a key less', { metadata: { plan: 'pro' } }],
    ['a field that the entry does not have', { reason: 'none' }],
  ])('is refused with %s', (_, part) => {
    expect(reasonOf(() => rebuildEntry({ ...after, ...part }, { openings }))).toBe('record_mismatch');
  });

  test.each<[string, Partial<LoggedRecord>]>([
    ['another pseudonym', { actor: { type: 'user', id: 'p_2' } }],
    ['another tag', { tags: ['a'] }],
    ['another value in a key', { metadata: { plan: 'pro', user: {} } }],
    ['another list of what was erased', { erased: ['actor.id'] }],
    ['no list of what was erased', { erased: undefined }],
  ])('has another rest with %s', (_, part) => {
    const rebuilt = rebuildEntry({ ...after, ...part }, { openings });
    expect(rebuilt.leaf).toEqual(rebuildEntry(wholeRecord, { seed }).leaf);
    expect(rebuilt.erased?.rest).not.toEqual(rest);
  });

  test('shows a byte order mark in its rest as any other character', () => {
    const marked = { ...after, actor: { type: 'user', id: '\ufeffp_1' } };
    expect(rebuildEntry(marked, { openings }).erased?.rest).not.toEqual(rest);
  });
});

test('a masked record opens where what it masks is withheld', () => {
  const masked = { ...wholeRecord, actor: { ...wholeRecord.actor, label: '[masked]' } };
  const { leaf, slots } = rebuildEntry(masked, { openings: withheld() });
  expect(leaf).toEqual(rebuildEntry(wholeRecord, { seed }).leaf);
  expect(slots[2]).toMatchObject({ state: 'withheld', shown: { content: '[masked]' } });
  const unseen = { ...wholeRecord, actor: { type: 'user', id: 'u1' } };
  expect(rebuildEntry(unseen, { openings: withheld() }).leaf).toEqual(leaf);
});

function withheld(): Openings {
  const whole = openingsOf(wholeRecord, seed);
  const commitment = new Uint8Array(rebuildEntry(wholeRecord, { seed }).bytes.subarray(36 + 64, 36 + 96));
  return { ...whole, slots: whole.slots.with(2, { state: 'withheld', commitment }) };
}

/** Erase again and again, and look after each step at everything that is left. */
function eraseInSteps(
  whole: LoggedRecord,
  seed: Uint8Array,
  steps: readonly (readonly [Parameters<typeof cutRecord>[1], Uint8Array])[],
): void {
  const { leaf } = rebuildEntry(whole, { seed });
  const salts = deriveSalts(seed, slotsOf(whole).length);
  let before = whole;
  let opening: Opening = { seed };
  const forgotten = new Set<number>();
  for (const [plan, restSalt] of steps) {
    const after = cutRecord(before, plan);
    const erased = eraseSlots({ before, after, opening, restSalt });
    const bytes = encodeOpenings(erased.openings);
    const rebuilt = rebuildEntry(after, { openings: decodeOpenings(bytes) });
    expect(rebuilt.leaf).toEqual(leaf);
    expect(rebuilt.erased).toEqual({ slots: erased.slots, rest: erased.rest });
    for (const [at, { state }] of rebuilt.slots.entries()) {
      expect(state !== 'open').toBe(((erased.slots[at >> 3] as number) & (1 << (at & 7))) !== 0);
      if (state !== 'open') forgotten.add(at);
    }
    for (const at of forgotten) expect((erased.openings.slots[at] as OpeningSlot).state).not.toBe('open');
    const windows = new Set(windowsOf(bytes));
    for (const at of forgotten) expect(windows.has(hex(salts[at] as Uint8Array))).toBe(false);
    if (forgotten.size > 0) expect(windows.has(hex(seed))).toBe(false);
    [before, opening] = [after, { openings: erased.openings }];
  }
}

/** Every 16 bytes that stand together. */
function windowsOf(bytes: Uint8Array): string[] {
  return Array.from({ length: Math.max(0, bytes.length - 15) }, (_, at) => hex(bytes.subarray(at, at + 16)));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

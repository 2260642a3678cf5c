import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainMemory, simdMemory } from '../sha256/hash-memory.ts';
import { TlogError } from '../tlog-error.ts';
import { type ErasedRecord, eraseMany } from './erase-many.ts';
import { type Erasing, eraseSlots } from './erase-slots.ts';
import { decodeOpenings, encodeOpenings } from './openings.ts';
import type { LoggedRecord } from './record.ts';
import { anyRecord, anySalt, anySeed, cutRecord, cuts, wholeRecord } from './testing.ts';

const memories = [
  ['four lanes', simdMemory()],
  ['one lane', plainMemory()],
] as const;

/** One erasure, and another one of what is left. */
const twice = fc
  .tuple(anyRecord, anySeed, fc.tuple(cuts, cuts), fc.tuple(anySalt, anySalt))
  .map(([before, seed, [first, second], salts]): Erasing[] => {
    const after = cutRecord(before, first);
    const erasing: Erasing = { before, after, opening: { seed }, restSalt: salts[0] };
    const erased = one(erasing);
    if (erased instanceof TlogError) return [erasing];
    const openings = decodeOpenings(erased.openings);
    return [
      erasing,
      { before: after, after: cutRecord(after, second), opening: { openings }, restSalt: salts[1] },
    ];
  });

function one(erasing: Erasing): ErasedRecord | TlogError {
  try {
    const { openings, slots, rest } = eraseSlots(erasing);
    return { openings: encodeOpenings(openings), slotCount: openings.slots.length, slots, rest };
  } catch (error) {
    if (error instanceof TlogError) return error;
    throw error;
  }
}

describe.each(memories)('erasing many with %s', (_, memory) => {
  test('gives for each what erasing it alone does', () => {
    fc.assert(
      fc.property(fc.array(twice, { maxLength: 8 }), (pairs) => {
        const erasings = pairs.flat();
        expect(eraseMany(erasings, memory)).toEqual(erasings.map(one));
      }),
      { numRuns: 60 },
    );
  });

  test('does so for more than fits at once, and leaves nothing of it in memory', () => {
    const large: LoggedRecord = { ...wholeRecord, metadata: { a: 'x'.repeat(300_000), b: 1 } };
    const seed = new Uint8Array(16).fill(7);
    const erasings = Array.from({ length: 400 }, (_, at): Erasing => {
      const before = at % 100 === 0 ? large : { ...wholeRecord, message: 'y'.repeat(5_000) };
      const after = { ...before, message: undefined, metadata: { b: 1 }, erased: ['message'] };
      return { before, after, opening: { seed }, restSalt: new Uint8Array(16).fill(at % 250) };
    });
    expect(eraseMany(erasings, memory)).toEqual(erasings.map(one));
    const text = Buffer.from(memory?.bytes ?? []).toString('latin1');
    expect(text).not.toMatch(/yyyy|annals\/slot/);
  });

  test('refuses what disagrees, and does the others', () => {
    const erasing: Erasing = {
      before: wholeRecord,
      after: { ...wholeRecord, message: undefined, erased: ['message'] },
      opening: { seed: new Uint8Array(16).fill(7) },
      restSalt: new Uint8Array(16).fill(9),
    };
    const other = { ...erasing, after: { ...erasing.after, action: 'other' } };
    const results = eraseMany([erasing, other, erasing], memory);
    expect(results.map((result) => result instanceof TlogError)).toEqual([false, true, false]);
    expect(results[1]).toEqual(one(other));
  });
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HashMemory, plainMemory, simdMemory } from '../sha256/hash-memory.ts';
import { freeFrom } from '../sha256/sha256x4-module.ts';
import { attempt, reasonOf } from '../testing.ts';
import { TlogError } from '../tlog-error.ts';
import { commitRecords } from './commit-records.ts';
import { eraseSlots } from './erase-slots.ts';
import { rebuildEntries } from './rebuild-entries.ts';
import { rebuildEntry } from './rebuild-entry.ts';
import type { LoggedRecord } from './record.ts';
import type { Disclosure } from './stage-entry.ts';
import { anyRecord, anySeed, cutRecord, cuts, wholeRecord } from './testing.ts';

const memories = [simdMemory() as HashMemory, plainMemory()];
const seed = Uint8Array.from({ length: 16 }, (_, at) => at);
const restSalt = new Uint8Array(16).fill(9);

const disclosure: fc.Arbitrary<Disclosure> = fc
  .tuple(anyRecord, anySeed, fc.option(cuts))
  .map(([record, seed, plan]) => {
    if (!plan) return { record, opening: { seed } };
    const after = cutRecord(record, plan);
    const { openings } = eraseSlots({ before: record, after, opening: { seed }, restSalt });
    return { record: after, opening: { openings } };
  });

/** The definition, one by one. */
function rebuildSlowly(disclosures: readonly Disclosure[]) {
  return disclosures.map(({ record, opening }) =>
    attempt(() => {
      const { leaf, erased } = rebuildEntry(record, opening);
      return erased ? { leaf, erased } : { leaf };
    }),
  );
}

function expectSame(disclosures: readonly Disclosure[]): void {
  const expected = rebuildSlowly(disclosures).map(plainly);
  for (const memory of memories) {
    expect(rebuildEntries(disclosures, memory).map(plainly)).toEqual(expected);
    expect(memory.bytes.subarray(freeFrom).every((byte) => byte === 0)).toBe(true);
  }
}

/** An error by what it says: others differ by where they were thrown. */
function plainly(outcome: object) {
  return outcome instanceof TlogError ? { reason: outcome.reason, message: outcome.message } : outcome;
}

describe('many entries at once are those of the definition, in lanes and without', () => {
  test('for any records, whole and erased', () => {
    fc.assert(
      fc.property(fc.array(disclosure, { maxLength: 12 }), (disclosures) => expectSame(disclosures)),
      { numRuns: 150 },
    );
  });

  test('for values of every length around the ends of blocks', () => {
    expectSame(
      Array.from({ length: 300 }, (_, length) => {
        const value = 'x'.repeat(length);
        const metadata = { value, [value]: length, nested: [value], accents: 'é'.repeat(length) };
        return { record: { ...wholeRecord, message: value, metadata }, opening: { seed } };
      }),
    );
  });

  test('for 256 keys of metadata and of details', () => {
    const keys = Object.fromEntries(Array.from({ length: 256 }, (_, at) => [`key ${at}`, at]));
    expectSame([{ record: { ...wholeRecord, metadata: keys, details: keys }, opening: { seed } }]);
    const tooMany = { ...wholeRecord, metadata: { ...keys, another: 1 } };
    expect(reasonOf(() => commitRecords([tooMany], seed))).toBe('bad_entry');
  });

  test('for a record of 64 KiB, one larger than the memory, and small ones between', () => {
    const long = (length: number): Disclosure => ({
      record: {
        ...wholeRecord,
        metadata: { long: 'é'.repeat(length / 2), controls: '\u0001'.repeat(length / 8) },
      },
      opening: { seed },
    });
    const small: Disclosure = { record: wholeRecord, opening: { seed } };
    expectSame([small, long(65_536), small, long(1_000_000), small, small]);
  });

  test('for more records than fit into the memory', () => {
    const disclosures = Array.from({ length: 1_500 }, (_, at) => ({
      record: { ...wholeRecord, message: `message ${at}`.repeat(at % 40) },
      opening: { seed },
    }));
    expectSame(disclosures);
  });

  test.each<[string, Disclosure]>([
    ['a lone surrogate in a text', withRecord({ message: `${'x'.repeat(70)}\ud800` })],
    ['a lone surrogate in a short text', withRecord({ message: '\udc00' })],
    ['a lone surrogate in a key', withRecord({ metadata: { '\ud800': 1 } })],
    ['a number that JSON does not have', withRecord({ metadata: { n: [Number.NaN] } })],
    ['an object of a class', withRecord({ metadata: { at: new Date(0) as never } })],
    ['a value of no JSON', withRecord({ metadata: { at: undefined as never } })],
    ['a value too deep', withRecord({ metadata: { deep: nested(100) } })],
    ['a value that is as deep as it may be', withRecord({ metadata: { deep: nested(98) } })],
    ['a method toJSON', withRecord({ metadata: { a: { toJSON: () => 1 } as never } })],
    ['a key toJSON', withRecord({ metadata: { a: { toJSON: 1 } } })],
    ['an id that is none', withRecord({ id: 'A19756b0-0000-7000-8000-000000000001' })],
    ['a time that is none', withRecord({ recordedAt: new Date(Number.NaN) })],
    ['a time before 1970', withRecord({ recordedAt: new Date(-1) })],
    ['a whole record that names erased fields', withRecord({ erased: ['message'] })],
    ['a seed of another length', { record: wholeRecord, opening: { seed: seed.subarray(1) } }],
  ])('for %s, between records that are right', (_, wrong) => {
    const right: Disclosure = { record: wholeRecord, opening: { seed } };
    expectSame([right, wrong, right]);
  });
});

describe('committing to records', () => {
  test('gives the leaf of each, in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyRecord, anySeed), { maxLength: 8 }), (pairs) => {
        const leaves = commitRecords(
          pairs.map(([record]) => record),
          Uint8Array.from(pairs.flatMap(([, seed]) => [...seed])),
        );
        const expected = pairs.flatMap(([record, seed]) => [...rebuildEntry(record, { seed }).leaf]);
        expect([...leaves]).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test('needs a seed for each record, and refuses the first that has no entry', () => {
    expect(reasonOf(() => commitRecords([wholeRecord], new Uint8Array(15)))).toBe('bad_argument');
    expect(reasonOf(() => commitRecords([wholeRecord], new Uint8Array(32)))).toBe('bad_argument');
    const bad = { ...wholeRecord, message: '\ud800' };
    expect(reasonOf(() => commitRecords([wholeRecord, bad], new Uint8Array(32)))).toBe('bad_text');
    expect(commitRecords([], new Uint8Array())).toEqual(new Uint8Array());
  });
});

function withRecord(part: Partial<LoggedRecord>): Disclosure {
  return { record: { ...wholeRecord, ...part }, opening: { seed } };
}

function nested(depth: number): never {
  return (depth === 0 ? 1 : [nested(depth - 1)]) as never;
}

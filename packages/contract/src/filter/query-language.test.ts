import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnnalsError } from '../errors.ts';
import { limits } from '../limits.ts';
import { formatQuery } from './format-query.ts';
import { parseQuery } from './parse-query.ts';
import { Filter } from './schema.ts';
import { filterArbitrary } from './testing.ts';
import { queryKeys } from './words.ts';

const now = new Date('2026-03-01T12:00:00Z');

/** Pieces of queries, right and wrong, in any order. */
const querySoup = fc
  .array(
    fc.oneof(
      fc.constantFrom(...queryKeys.map((key) => `${key}:`)),
      fc.constantFrom(
        'metadata.a:',
        'details."b c".d:',
        'has:metadata.',
        'severity:>=',
        'since:7d',
        'from:2026-01-01',
      ),
      fc.constantFrom(
        'a',
        '-',
        '"',
        '\\',
        '.',
        ':',
        '*',
        ' ',
        ' ',
        ' ',
        '\n',
        'error',
        '10.0.0.0/8',
        'x.*',
        'OR',
      ),
      fc.constantFrom(
        '"a b"',
        '"\\""',
        '\ud800',
        '\u0000',
        '__proto__:',
        'toString:',
        'to:2027-01-01T00:00:00+02:00',
      ),
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''));

const anyQuery = fc.oneof(
  querySoup,
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

test('every filter survives being written as query text', () => {
  fc.assert(
    fc.property(filterArbitrary, (filter) => {
      expect(parseQuery(formatQuery(filter), { now })).toStrictEqual(filter);
    }),
    { numRuns: 200 },
  );
});

test('a canonical filter is what the schema makes of itself', () => {
  fc.assert(
    fc.property(filterArbitrary, (filter) => {
      expect(Filter.parse(filter)).toStrictEqual(filter);
    }),
  );
});

test('any text is either a valid filter, whose own text is stable, or an error within the text', () => {
  fc.assert(
    fc.property(anyQuery, (source) => {
      const filter = parseOrProblem(source);
      if (filter instanceof AnnalsError) {
        expect(filter.code).toBe('invalid_query');
        expect(filter.message).toMatch(/expected|must/);
        expect(filter.position).toBeGreaterThanOrEqual(0);
        expect(filter.position).toBeLessThanOrEqual(source.length);
        return;
      }
      expect(Filter.parse(filter)).toStrictEqual(filter);
      const written = formatQuery(filter);
      expect(parseQuery(written, { now: new Date(0) })).toStrictEqual(filter);
      expect(formatQuery(parseQuery(written, { now }))).toBe(written);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['backslashes in quotes', `"${'\\\\'.repeat(8_000)}"`],
  ['quotes', '"'.repeat(limits.queryLengthMax)],
  ['minus signs', '-'.repeat(limits.queryLengthMax)],
  ['keys of a path', `metadata.${'a.'.repeat(8_000)}`],
  ['words', 'a '.repeat(8_000)],
  ['metadata keys', Array.from({ length: 1_000 }, (_, index) => `metadata.k${index}:v`).join(' ')],
  ['an unknown key', `${'a'.repeat(16_000)}:b`],
])('a query full of %s is refused and named', (_name, source) => {
  expect(() => parseQuery(source, { now })).toThrow(AnnalsError);
});

function parseOrProblem(source: string): Filter | AnnalsError {
  try {
    return parseQuery(source, { now });
  } catch (error) {
    if (error instanceof AnnalsError) return error;
    throw error;
  }
}

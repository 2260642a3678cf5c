import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { reasonOf } from '../testing.ts';
import { timeOf } from './json-fields.ts';

test('every time is read from the text that it has, and from no other', () => {
  const inYears = { min: new Date('0000-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z') };
  fc.assert(
    fc.property(fc.date({ ...inYears, noInvalidDate: true }), (date) => {
      expect(timeOf({ at: date.toISOString() }, 'at')).toEqual(date);
    }),
  );
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9]{4}-[0-3][0-9]-[0-4][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{3}Z$/),
      (at) => {
        const date = new Date(at);
        const isText = !Number.isNaN(date.getTime()) && date.toISOString() === at;
        expect(reasonOf(() => timeOf({ at }, 'at'))).toBe(isText ? 'accepted' : 'bad_line');
      },
    ),
    { numRuns: 1_000 },
  );
});

test.each([
  '',
  '2026-06-15',
  '2026-06-15T12:00:00Z',
  '2026-06-15T12:00:00.000+00:00',
  '2026-06-1xT12:00:00.000Z',
])('%j is no time of a bundle', (at) => expect(reasonOf(() => timeOf({ at }, 'at'))).toBe('bad_line'));

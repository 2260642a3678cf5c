import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEpochMs, parseEpochSeconds, parseTimeText } from './parse-time.ts';

test.each([
  ['2024-12-17T10:30:00Z', '2024-12-17T10:30:00.000Z', true],
  ['2024-12-17 10:30:00', '2024-12-17T10:30:00.000Z', true],
  ['2024-12-17 10:30:00.667000000', '2024-12-17T10:30:00.667Z', true],
  ['2024-12-17 10:30:00.667000001', '2024-12-17T10:30:00.667Z', false],
  ['2024-12-17T10:30:00.5+02:00', '2024-12-17T08:30:00.500Z', true],
  ['2024-12-17T10:30:00-0530', '2024-12-17T16:00:00.000Z', true],
  ['2024-12-17 10:30:00 UTC', '2024-12-17T10:30:00.000Z', true],
  [' 2024-02-29T23:59:59,999Z ', '2024-02-29T23:59:59.999Z', true],
])('reads %s', (text, iso, exact) => {
  expect(parseTimeText(text)).toEqual({ iso, exact });
});

test.each([
  'redacted',
  '...',
  '',
  '2024-12-17',
  '2024-12-17 00:00:00000000',
  '2024-02-30T00:00:00Z',
  '2023-02-29 00:00:00',
  '2024-13-01T00:00:00Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01T00:60:00Z',
  '2016-12-31T23:59:60Z',
  '2024-01-01T00:00:00+15:00',
  '2024-01-01T00:00:00+01:75',
  '0001-01-01T00:00:00Z',
  '1970-01-01T00:00:00Z',
  '1621305118553',
])('finds no time in %j', (text) => {
  expect(parseTimeText(text)).toBeUndefined();
});

test('every moment of the years 1970 to 9999 is read back as it was written', () => {
  const moment = fc.date({
    min: new Date(1),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moment, (date) => {
      const iso = date.toISOString();
      expect(parseTimeText(iso)).toEqual({ iso, exact: true });
      expect(parseTimeText(iso.replace('T', ' ').replace('Z', '000000'))).toEqual({ iso, exact: true });
    }),
  );
});

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseTimeText(text)));
});

test('milliseconds and seconds are not taken for each other', () => {
  expect(parseEpochMs(1_621_305_118_553)).toEqual({ iso: '2021-05-18T02:31:58.553Z', exact: true });
  expect(parseEpochMs('1621305118553')).toEqual({ iso: '2021-05-18T02:31:58.553Z', exact: true });
  expect(parseEpochMs(1_621_305_118)).toBeUndefined();
  expect(parseEpochMs(0)).toBeUndefined();
  expect(parseEpochMs(-1)).toBeUndefined();
  expect(parseEpochMs('soon')).toBeUndefined();
  expect(parseEpochSeconds(1_621_305_118.553)).toEqual({ iso: '2021-05-18T02:31:58.553Z', exact: true });
  expect(parseEpochSeconds('1621305118')).toEqual({ iso: '2021-05-18T02:31:58.000Z', exact: true });
  expect(parseEpochSeconds(1_621_305_118_553)).toBeUndefined();
  expect(parseEpochSeconds(0)).toBeUndefined();
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { neutralise } from './neutralise.ts';

test.each([
  ['=1+1', "'=1+1"],
  ['+1+1', "'+1+1"],
  ['-1+1', "'-1+1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "\t'=1"],
  ['\r=1', "\r'=1"],
  ['  =1', "'  =1"],
  ['"=1', `'"=1`],
  ['\u{feff}=1', "'\u{feff}=1"],
  ['\u{200b}=1', "'\u{200b}=1"],
  ['＝1+1', "'＝1+1"],
  ["=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"],
  ['ok;=1+1;', "ok;'=1+1;"],
  ['two\n=1', "two\n'=1"],
])('%j is made harmless', (cell, harmless) => {
  expect(neutralise(cell)).toBe(harmless);
});

test.each(['-12345', '-1.5', '1=1', 'a-b', 'a@example.com', 'invoice.voided', '', "'=1", '{"a":-5}'])(
  '%j is left alone',
  (cell) => {
    expect(neutralise(cell)).toBe(cell);
  },
);

test('no part that any separator makes of a cell begins a formula', () => {
  const part = fc.constantFrom(
    '=',
    '+',
    '-',
    '@',
    ';',
    '\t',
    '\r',
    '\n',
    '"',
    ' ',
    '\u{200b}',
    '1',
    'a',
    '＝',
    ',',
  );
  const cell = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(cell, (text) => {
      const safe = neutralise(text);
      if (/^-?\d+(\.\d+)?$/.test(safe)) return;
      for (const piece of safe.split(/[;\t\r\n]/)) {
        expect(piece.replace(/^[\s"\p{Cc}\p{Cf}]+/u, '')).not.toMatch(/^[=+\-@＝＋－＠]/);
      }
    }),
  );
});

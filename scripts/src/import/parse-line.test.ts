import { expect, test } from 'vitest';
import { parseLine } from './parse-line.ts';

test('numbers that a double would change are read as text with all their digits', () => {
  expect(
    parseLine(
      '{"a":9007199254740993,"b":9007199254740991,"c":1e400,"d":-12345678901234567890,"e":1.5e3,"f":0.1}',
    ),
  ).toEqual({
    object: {
      a: '9007199254740993',
      b: 9_007_199_254_740_991,
      c: '1e400',
      d: '-12345678901234567890',
      e: 1_500,
      f: 0.1,
    },
  });
});

test.each([
  ['{"a":', /^is not JSON: /],
  ['', /^is not JSON: /],
  ['"text"', /^is not a JSON object$/],
  ['null', /^is not a JSON object$/],
  ['[{"a":1}]', /jq -c '\.\[\]'/],
])('%s is refused with the reason', (text, message) => {
  expect(parseLine(text)).toEqual({
    refusal: { code: 'invalid_input', message: expect.stringMatching(message) as string },
  });
});

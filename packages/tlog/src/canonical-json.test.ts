import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { haveSharedVectors, readSharedVector, reasonOf, withSharedVectors } from './testing.ts';
import { decodeText } from './text.ts';

describe.skipIf(!haveSharedVectors)(`the vectors of RFC 8785's author${withSharedVectors}`, () => {
  test.each(['arrays', 'french', 'structures', 'unicode', 'values', 'weird'])('%s', (name) => {
    const input: unknown = JSON.parse(readSharedVector(`jcs/${name}.input.json`).toString('utf8'));
    expect(decodeText(canonicalJson(input))).toBe(
      readSharedVector(`jcs/${name}.output.json`).toString('utf8'),
    );
  });
});

test('keys are sorted by UTF-16 code units, and numbers and texts written as ECMAScript does', () => {
  const value = {
    '\ufb33': 1,
    '\u{1f602}': [-0, 1e21, 1e-7, 0.1, 5e-324],
    b: { z: null, a: '\u20ac\u0007\u007f"/' },
    1: true,
  };
  expect(decodeText(canonicalJson(value))).toBe(
    '{"1":true,"b":{"a":"\u20ac\\u0007\u007f\\"/","z":null},"\u{1f602}":[0,1e+21,1e-7,0.1,5e-324],"\ufb33":1}',
  );
});

test('one value has one text, whatever the order of its keys, and the text is that value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 4 }), (value) => {
      const canonical = canonicalJson(value);
      const again: unknown = JSON.parse(decodeText(canonical));
      expect(canonicalJson(again)).toEqual(canonical);
      expect(canonicalJson(reversed(again))).toEqual(canonical);
      expect(again).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
const circular: unknown[] = [];
circular.push(circular);
const holed = [1];
holed.length = 2;

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['a value that is undefined', { a: undefined }],
  ['an item that is undefined', [undefined]],
  ['a hole', holed],
  ['NaN', [Number.NaN]],
  ['an infinity', { a: -Infinity }],
  ['a bigint', [1n]],
  ['a function', { a: () => 1 }],
  ['a symbol', [Symbol('a')]],
  ['a lone surrogate', ['\ud800']],
  ['a key that is a lone surrogate', { '\udc00': 1 }],
  ['a date', new Date(0)],
  ['a map', { a: new Map() }],
  ['bytes', Uint8Array.of(1)],
  ['a boxed number', [Object(1)]],
  ['toJSON', { toJSON: () => 1 }],
  ['a value that holds itself', circular],
  ['101 levels', nested(101)],
])('%s is refused', (_, value) => {
  expect(reasonOf(() => canonicalJson(value))).toBe('bad_json');
});

test('a key may have any name, and 100 levels are taken', () => {
  const value: unknown = JSON.parse('{"toJSON":"a","__proto__":1,"constructor":null}');
  expect(decodeText(canonicalJson(value))).toBe('{"__proto__":1,"constructor":null,"toJSON":"a"}');
  expect(decodeText(canonicalJson(nested(100)))).toHaveLength(201);
});

/** The same value with the keys of each object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

import { AnnalsError } from '@annals/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toJson } from './to-json.ts';

test('whatever JSON holds is written as JSON.stringify writes it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(toJson({ value })).toBe(JSON.stringify({ value }));
    }),
  );
});

test('dates become their text, objects what their toJSON says, and undefined properties nothing', () => {
  const money = { toJSON: () => ({ cents: 5 }) };
  const value = { at: new Date(0), gone: undefined, money };
  expect(JSON.parse(toJson(value))).toEqual({ at: '1970-01-01T00:00:00.000Z', money: { cents: 5 } });
});

describe('what JSON.stringify would change in silence is refused by its path', () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  test.each([
    ['NaN', Number.NaN, 'a.1.b', 'must be a finite number'],
    ['infinity', Infinity, 'a.1.b', 'must be a finite number'],
    ['a bigint', 1n, 'a.1.b', /must be a string/],
    ['a function', () => 1, 'a.1.b', /function/],
    ['a symbol', Symbol('x'), 'a.1.b', /symbol/],
    ['a map', new Map(), 'a.1.b', 'must be JSON, not Map'],
    ['a set', new Set(), 'a.1.b', 'must be JSON, not Set'],
    ['bytes', new Uint8Array(2), 'a.1.b', 'must be JSON, not Uint8Array'],
    ['an error', new Error('x'), 'a.1.b', 'must be JSON, not Error'],
    ['a promise', Promise.resolve(1), 'a.1.b', 'must be JSON, not Promise'],
    ['no date', new Date(Number.NaN), 'a.1.b', 'must be a valid date'],
    ['undefined in a list', [undefined], 'a.1.b.0', /undefined/],
    // oxlint-disable-next-line no-sparse-arrays -- it is what is tested
    ['a hole in a list', [, 1], 'a.1.b.0', /undefined/],
    ['a date that says so otherwise', Object.assign(new Date(0), { toJSON: () => 1n }), 'a.1.b', /string/],
    ['a list that does', Object.assign([], { toJSON: () => Number.NaN }), 'a.1.b', /finite/],
    ['a circle', cyclic, /^a\.1\.b\.self\.self/, /nest/],
  ] as const)('%s', (...[, value, path, message]) => {
    try {
      toJson({ a: [0, { b: value }] });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(AnnalsError);
      const refused = error as AnnalsError;
      expect(refused.code).toBe('invalid_input');
      expect(refused.path).toMatch(path instanceof RegExp ? path : new RegExp(`^${path}$`));
      expect(refused.message).toMatch(message);
    }
  });
});

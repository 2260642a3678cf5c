import { AnnalsError } from '@annals/contract';
import * as fc from 'fast-check';
import * as superjson from 'superjson';
import { describe, expect, test } from 'vitest';
import { decodeInput } from './decode-input.ts';

function refusal(wire: unknown): { code: string; path: string | undefined; message: string } {
  try {
    decodeInput(wire);
  } catch (error) {
    if (error instanceof AnnalsError) return { code: error.code, path: error.path, message: error.message };
    throw error;
  }
  throw new Error('was not refused');
}

describe('what is read', () => {
  test('shared objects, which superjson marks by reference, are full copies already', () => {
    const actor = { type: 'user', id: 'u' };
    const wire = superjson.serialize({ activities: [{ actor }, { actor }] });
    expect(wire.meta?.referentialEqualities).toBeDefined();
    expect(decodeInput(wire)).toEqual({ activities: [{ actor }, { actor }] });
  });

  test('an undefined property is absent; other numbers are what they are, for the schema to refuse', () => {
    expect(decodeInput(superjson.serialize({ a: undefined, b: 1 }))).toEqual({ b: 1 });
    expect(decodeInput(superjson.serialize({ a: Number.NaN, b: -Infinity }))).toEqual({
      a: Number.NaN,
      b: -Infinity,
    });
  });

  test('paths of superjson versions that did not escape backslashes', () => {
    const wire = { json: { 'a\\b': '2026-01-01T00:00:00.000Z' }, meta: { values: { 'a\\b': ['Date'] } } };
    expect(decodeInput(wire)).toEqual({ 'a\\b': new Date('2026-01-01') });
  });
});

describe('what is refused, naming its place', () => {
  class Custom {
    readonly a = 1;
  }
  superjson.registerClass(Custom);
  test.each([
    ['set', new Set([1])],
    ['map', new Map([[1, 2]])],
    ['regexp', /(a+)+$/],
    ['bigint', 10n ** 1_000n],
    ['Error', new Error('x')],
    ['URL', new URL('http://a')],
    ['class', new Custom()],
    ['typed-array', new Uint8Array(2)],
  ])('%s', (name, value) => {
    expect(refusal(superjson.serialize({ activities: [{ metadata: { value } }] }))).toEqual({
      code: 'invalid_input',
      path: 'activities.0.metadata.value',
      message: `must be JSON or a date, not ${name}`,
    });
  });

  test.each([
    ['nothing', undefined],
    ['a list', []],
    ['an unwrapped input', { activities: [] }],
    ['meta that is a text', { json: {}, meta: 'x' }],
    ['annotations that are a text', { json: {}, meta: { values: 'x' } }],
    ['a place that is not there', { json: {}, meta: { values: { a: ['Date'] } } }],
    ['a place within a text', { json: { a: 'x' }, meta: { values: { 'a.0': ['undefined'] } } }],
    ['an array far beyond its end', { json: [], meta: { values: { 4294967294: ['undefined'] } } }],
    ['the length of an array', { json: ['x'], meta: { values: { length: ['undefined'] } } }],
    ['a date that is a number', { json: { a: 5 }, meta: { values: { a: ['Date'] } } }],
    ['a number that is none', { json: { a: '5' }, meta: { values: { a: ['number'] } } }],
    ['an endless path', { json: {}, meta: { values: { [`${'a.'.repeat(100_000)}a`]: ['Date'] } } }],
  ])('%s', (_name, wire) => {
    expect(refusal(wire).code).toBe('invalid_input');
  });

  test.each(['__proto__', 'constructor', 'prototype', 'constructor.prototype', '__proto__.polluted'])(
    'a path into %s, whatever stands there',
    (path) => {
      const json: unknown = JSON.parse('{"a":1,"__proto__":{"polluted":"2026-01-01"}}');
      expect(refusal({ json, meta: { values: { [path]: ['Date'] } } }).code).toBe('invalid_input');
      expect(refusal({ json: {}, meta: { values: { [path]: ['undefined'] } } }).code).toBe('invalid_input');
      expect(Object.prototype).not.toHaveProperty('polluted');
    },
  );
});

test('annotations of any shape end in a value or in invalid_input, and touch no prototype', () => {
  const anything = fc.jsonValue({ maxDepth: 5 });
  const before = Reflect.ownKeys(Object.prototype).length;
  const annotation = fc.constantFrom('Date', 'undefined', 'number', 'set', 'map', 'regexp', 'bigint');
  const tree = fc.dictionary(fc.string(), fc.oneof(fc.tuple(annotation), anything), { maxKeys: 5 });
  fc.assert(
    fc.property(anything, fc.oneof(tree, anything), anything, (json, values, v) => {
      try {
        decodeInput({ json, meta: { values, v } });
      } catch (error) {
        expect(error).toBeInstanceOf(AnnalsError);
      }
    }),
  );
  expect(Reflect.ownKeys(Object.prototype)).toHaveLength(before);
});

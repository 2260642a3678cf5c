import * as fc from 'fast-check';
import * as superjson from 'superjson';
import { expect, test } from 'vitest';
import { decodeInput } from './decode-input.ts';
import { encodeOutput } from './encode-output.ts';

const overTheWire = (data: unknown): never => JSON.parse(JSON.stringify(encodeOutput(data))) as never;

// superjson refuses to write along these names, and no date of ours stands under a name that callers choose.
const key = fc.string().filter((name) => !['__proto__', 'prototype', 'constructor'].includes(name));
const date = fc.date({ noInvalidDate: true });
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    date,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

test('superjson reads an output unchanged, and so does our own reader', () => {
  fc.assert(
    fc.property(tree, (data) => {
      expect(superjson.deserialize(overTheWire(data))).toEqual(data);
      expect(decodeInput(overTheWire(data))).toEqual(data);
    }),
  );
});

test('our reader reads what superjson writes', () => {
  fc.assert(
    fc.property(tree, (data) => {
      const written: unknown = JSON.parse(superjson.stringify(data));
      expect(decodeInput(written)).toEqual(data);
    }),
  );
});

test('an undefined property is absent, and keys with dots and backslashes name their own place', () => {
  const at = new Date(0);
  const data = { 'a.b': { 'c\\': [at] }, 'a\\.b': at, gone: undefined };
  expect(superjson.deserialize(overTheWire(data))).toEqual({ 'a.b': { 'c\\': [at] }, 'a\\.b': at });
});

import type { JsonObject, JsonValue } from '@annals/contract';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eraseJson, jsonTexts } from './erase-json.ts';
import { createMatcher } from './identifiers.ts';

const matcher = createMatcher(['ada', 'ada@x.com', '12345']);
const erase = (value: JsonObject) => eraseJson({ root: 'metadata', value }, matcher.occursIn);

test('values become null, keys go with what stands under them, and both are named', () => {
  const { value, names } = erase({
    user: { email: 'ada@x.com', plan: 'pro' },
    users: { 'ada@x.com': { role: 'admin' }, bob: { role: 'guest' } },
    list: ['bob', 'for Ada', 12_345, { id: 12_345.5 }],
    'odd key': 'user:ada',
    empty: '',
  });
  expect(value).toEqual({
    user: { email: null, plan: 'pro' },
    users: { bob: { role: 'guest' } },
    list: ['bob', null, null, { id: null }],
    'odd key': null,
    empty: '',
  });
  expect(names).toEqual([
    'metadata.user.email',
    'metadata.users.*',
    'metadata.list.1',
    'metadata.list.2',
    'metadata.list.3.id',
    'metadata."odd key"',
  ]);
});

test('what holds nothing personal comes back as the same object', () => {
  const value = { name: 'canada', list: [1, true, null, { deep: 'adamant' }] };
  expect(erase(value)).toEqual({ value, names: [] });
  expect(erase(value).value).toBe(value);
});

test('a key called __proto__ is a key', () => {
  const value = JSON.parse('{"__proto__": {"name": "ada", "x": 1}, "b": 2}') as JsonObject;
  expect(JSON.stringify(erase(value).value)).toBe('{"__proto__":{"name":null,"x":1},"b":2}');
});

const text = fc.oneof(
  fc.constantFrom('ada', 'user:ada', 'Ada@X.com', 'canada', 'ada%40x.com', '{"a":"ada"}', '12345', ''),
  fc.string({ maxLength: 8 }),
);
const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.integer(),
    fc.constantFrom(12_345, true, null),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(text, tie('tree'), { maxKeys: 4 }),
  ),
}));

test('afterwards nothing personal is found, and what was not personal is as it was', () => {
  fc.assert(
    fc.property(fc.dictionary(text, tree), (value) => {
      const before = structuredClone(value);
      const erased = erase(value);
      expect(value).toEqual(before);
      for (const each of jsonTexts({ root: 'metadata', value: erased.value })) {
        expect(matcher.occursIn(each.text), each.text).toBe(false);
      }
      expect(leaves(erased.value)).toEqual(leaves(value).filter(([path, leaf]) => !isPersonal(path, leaf)));
      expect(erase(erased.value)).toEqual({ value: erased.value, names: [] });
    }),
  );
});

/** Leaves that are not null, with the keys that lead to them. */
function leaves(value: JsonValue, path: string[] = []): [string[], JsonValue][] {
  if (value === null) return [];
  if (typeof value !== 'object') return [[path, value]];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
}

function isPersonal(path: string[], leaf: JsonValue): boolean {
  const texts = [...path, ...(typeof leaf === 'string' || typeof leaf === 'number' ? [String(leaf)] : [])];
  return texts.some((each) => matcher.occursIn(each));
}

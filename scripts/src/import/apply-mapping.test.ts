import { ActivityInput, type JsonObject, limits } from '@annals/contract';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyMapping } from './apply-mapping.ts';
import { type Mapping, parseMapping } from './mapping.ts';
import { parseLine } from './parse-line.ts';

const minimal = {
  version: 1,
  format: 'shop',
  fields: {
    action: { template: 'shop.{event|key}' },
    occurredAt: { path: 'at', transform: 'time' },
    actor: [{ type: { const: 'user' }, id: 'who' }, { type: { const: 'anonymous' } }],
  },
  metadata: { rest: true },
};
const at = '2026-03-01T10:00:00Z';

const mappingWith = (fields: object, metadata: object = { rest: true }): Mapping =>
  parseMapping({ ...minimal, fields: { ...minimal.fields, ...fields }, metadata }, 'test');

function activityOf(mapping: Mapping, object: JsonObject): ActivityInput {
  const mapped = applyMapping(mapping, object);
  if ('refusal' in mapped) throw new Error(JSON.stringify(mapped.refusal));
  return mapped.activity;
}

test('fields are filled by their rules, and what none holds unchanged stays in metadata', () => {
  const mapping = mappingWith({
    severity: { path: 'level', map: { WARN: 'warning', 'ERR*': 'error' } },
    channel: 'via',
    target: { type: { const: 'order' }, id: 'order.id' },
    context: { ip: ['client.ip', 'ip'] },
    tags: ['labels', { const: 'imported' }],
  });
  const object = {
    event: 'OrderPlaced',
    at: '2026-03-01 10:00:00.500',
    who: 'u1',
    level: 'ERROR_7',
    via: 'web',
    order: { id: 12, total: 5 },
    client: { ip: '10.0.0.1' },
    ip: '10.0.0.2',
    labels: ['a', 'b'],
    nothing: null,
  };
  expect(activityOf(mapping, object)).toEqual({
    idempotencyKey: expect.stringMatching(/^shop:[0-9a-f]{64}$/) as string,
    action: 'shop.order_placed',
    occurredAt: '2026-03-01T10:00:00.500Z',
    severity: 'error',
    channel: 'web',
    actor: { type: 'user', id: 'u1' },
    target: { type: 'order', id: '12' },
    context: { ip: '10.0.0.1' },
    tags: ['a', 'b', 'imported'],
    metadata: { event: 'OrderPlaced', level: 'ERROR_7', order: { total: 5 }, ip: '10.0.0.2', nothing: null },
  });
});

test('of alternatives the first that yields something usable decides', () => {
  const mapping = mappingWith({
    occurredAt: [
      { from: ['at', 'seen'], transform: 'time' },
      { path: 'at', transform: 'epochMs' },
    ],
  });
  const timeOf = (object: JsonObject) => activityOf(mapping, { event: 'x', ...object }).occurredAt;
  expect(timeOf({ at, seen: '2020-01-01T00:00:00Z' })).toBe('2026-03-01T10:00:00.000Z');
  expect(timeOf({ at: 'redacted', seen: '2020-01-01T00:00:00Z' })).toBe('2020-01-01T00:00:00.000Z');
  expect(timeOf({ at: 1_621_305_118_553 })).toBe('2021-05-18T02:31:58.553Z');
});

test('a record without a usable time, action or actor is refused with what was found', () => {
  const refusal = (object: JsonObject, mapping = mappingWith({})) => {
    const mapped = applyMapping(mapping, object);
    return 'refusal' in mapped ? mapped.refusal : undefined;
  };
  expect(refusal({ event: 'x' })).toEqual({
    code: 'invalid_input',
    path: 'occurredAt',
    message: 'at is not there',
  });
  expect(refusal({ event: 'x', at: 'redacted' })).toMatchObject({
    path: 'occurredAt',
    message: 'nothing usable: at is "redacted"',
  });
  expect(refusal({ event: ' ', at })).toMatchObject({ path: 'action', message: 'event is not there' });
  expect(
    refusal(
      { event: 'x', at },
      mappingWith({ actor: { type: { const: 'user' }, id: 'who', when: { who: true } } }),
    ),
  ).toMatchObject({ path: 'actor' });
});

test('a value that does not fit its field stays in metadata, or refuses the record where the rest is dropped', () => {
  const fields = { context: { ip: 'ip', userAgent: 'agent' }, message: 'text' };
  const object = { event: 'x', at, ip: 'ec2.amazonaws.com', agent: 'curl', text: 'y'.repeat(10_000) };
  const kept = activityOf(mappingWith(fields), object);
  expect(kept.context).toEqual({ userAgent: 'curl' });
  expect(kept.message).toBeUndefined();
  expect(kept.metadata).toEqual({ event: 'x', ip: 'ec2.amazonaws.com', text: object.text });
  expect(applyMapping(mappingWith(fields, {}), object)).toMatchObject({
    refusal: { path: 'message', message: `must be at most ${limits.textLengthMax} characters` },
  });
});

test('an actor that does not fit refuses the record, since one without it says something else', () => {
  expect(applyMapping(mappingWith({}), { event: 'x', at, who: 'u'.repeat(300) })).toMatchObject({
    refusal: { path: 'actor.id' },
  });
});

test('details are left in metadata where they miss what their kind needs', () => {
  const mapping = mappingWith({
    kind: { const: 'api_call' },
    details: { api_call: { method: 'method', path: 'url' } },
  });
  expect(activityOf(mapping, { event: 'x', at, method: 'GET', url: '/a' })).toMatchObject({
    details: { method: 'GET', path: '/a' },
  });
  const partial = activityOf(mapping, { event: 'x', at, method: 'GET' });
  expect(partial).not.toHaveProperty('details');
  expect(partial.metadata).toEqual({ event: 'x', method: 'GET' });
});

test('the first variant of a group that has what it needs is taken whole', () => {
  const mapping = mappingWith({
    target: [
      { when: { kind: ['repo', 'fork'] }, type: { const: 'repository' }, id: 'name', label: 'title' },
      { type: 'kind', id: 'name' },
    ],
  });
  expect(activityOf(mapping, { event: 'x', at, kind: 'fork', name: 'a/b', title: 'T' }).target).toEqual({
    type: 'repository',
    id: 'a/b',
    label: 'T',
  });
  expect(activityOf(mapping, { event: 'x', at, kind: 'team', name: 'c' }).target).toEqual({
    type: 'team',
    id: 'c',
  });
  expect(activityOf(mapping, { event: 'x', at, kind: 'team' }).target).toBeUndefined();
});

test('keys are found in any case only when the mapping says so', () => {
  const object = { EVENT: 'x', At: at };
  expect(applyMapping(mappingWith({}), object)).toHaveProperty('refusal');
  const mapping = parseMapping({ ...minimal, ignoreCase: true }, 'test');
  expect(activityOf(mapping, object)).toMatchObject({ action: 'shop.x', metadata: { EVENT: 'x' } });
});

test('named metadata holds only what is named, and omitted parts are left out of the rest', () => {
  const object = { event: 'x', at, token: 's3cret', a: { b: 1, token: 't' } };
  expect(activityOf(mappingWith({}, { fields: { b: 'a.b' } }), object).metadata).toEqual({ b: 1 });
  expect(activityOf(mappingWith({}, { rest: true, omit: ['token', 'a.token'] }), object).metadata).toEqual({
    event: 'x',
    a: { b: 1 },
  });
});

test('the same object has the same key whatever the order of its keys, and another content another', () => {
  const mapping = mappingWith({});
  const keyOf = (object: JsonObject) => activityOf(mapping, object).idempotencyKey;
  const key = keyOf({ event: 'x', at, id: '1', more: { a: 1, b: 2 } });
  expect(keyOf({ more: { b: 2, a: 1 }, id: '1', at, event: 'x' })).toBe(key);
  expect(keyOf({ event: 'x', at, id: '1', more: { a: 1, b: 3 } })).not.toBe(key);
});

test('any JSON around a record is kept in a form that the contract accepts', () => {
  const mapping = mappingWith({});
  const anything = fc.json({ maxDepth: 12, stringUnit: 'grapheme-ascii' });
  fc.assert(
    fc.property(anything, (json) => {
      const line = parseLine(`{"event":"x","at":"${at}","more":${json}}`);
      if (!('object' in line)) throw new Error(line.refusal.message);
      const activity = activityOf(mapping, line.object);
      expect(ActivityInput.safeParse(activity).success).toBe(true);
    }),
  );
});

test('what is too deep or has too many keys for metadata is kept as its JSON text', () => {
  const deep = { a: { a: { a: { a: { a: { a: { a: { a: 'deep' } } } } } } } };
  const wide = Object.fromEntries(
    Array.from({ length: limits.jsonKeysMax }, (_, index) => [`k${index}`, index]),
  );
  const folded = activityOf(mappingWith({}), { event: 'x', at, deep, wide, small: { a: 1 } });
  expect(folded.metadata).toEqual({
    event: 'x',
    deep: { a: { a: { a: { a: { a: { a: { a: JSON.stringify({ a: 'deep' }) } } } } } } },
    wide: JSON.stringify(wide),
    small: { a: 1 },
  });
  const longKey = { ['k'.repeat(limits.jsonKeyLengthMax + 1)]: 1 };
  expect(activityOf(mappingWith({}), { event: 'x', at, longKey }).metadata).toEqual({
    event: 'x',
    longKey: JSON.stringify(longKey),
  });
});

test('keys that have a meaning to JavaScript are keys like any other', () => {
  const object = JSON.parse(`{"event":"x","at":"${at}","__proto__":{"a":1},"constructor":"c"}`) as JsonObject;
  expect(Object.entries(activityOf(mappingWith({}), object).metadata as JsonObject)).toEqual([
    ['event', 'x'],
    ['__proto__', { a: 1 }],
    ['constructor', 'c'],
  ]);
});

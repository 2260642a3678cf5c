import { expect, test } from 'vitest';
import { z } from 'zod';
import { limits } from '../limits.ts';
import type { FilterInput } from './filter.ts';
import { personalFieldsOf } from './personal-fields-of.ts';
import { Filter } from './schema.ts';
import { actionPrefix } from './value.ts';

const sugar: [input: FilterInput, filter: Filter][] = [
  [{}, {}],
  [{ actor: 'a' }, { actor: { any: ['a'] } }],
  [{ actor: ['a', ' a ', 'b'] }, { actor: { any: ['a', 'b'] } }],
  [
    { target: 42, tag: 'x', text: 'y' },
    { target: { any: ['42'] }, tag: { any: ['x'] }, text: { all: ['y'] } },
  ],
  [{ actor: { any: [], none: ['c'] } }, { actor: { none: ['c'] } }],
  [{ actor: [], tag: { all: [] }, has: [], text: {}, metadata: [], details: {}, scope: undefined }, {}],
  [{ metadata: [{ path: 'a', any: [] }] }, {}],
  [
    {
      metadata: {
        'a.b': 'x',
        c: 5,
        d: true,
        e: ['x', ' x', 'x', ''],
        f: 1e-7,
        '"g h"': -2.5e-10,
        __proto__x: 0,
      },
    },
    {
      metadata: [
        { path: ['a', 'b'], any: ['x'] },
        { path: ['c'], any: ['5'] },
        { path: ['d'], any: ['true'] },
        { path: ['e'], any: ['x', ' x', ''] },
        { path: ['f'], any: ['0.0000001'] },
        { path: ['g h'], any: ['-0.00000000025'] },
        { path: ['__proto__x'], any: ['0'] },
      ],
    },
  ],
  [
    { has: ['ip', 'metadata.a', { root: 'metadata', path: ['a'] }, { field: 'ip' }] },
    { has: { all: [{ field: 'ip' }, { root: 'metadata', path: ['a'] }] } },
  ],
  [
    { from: '2026-01-01T01:00:00+01:00', to: new Date('2026-01-02T00:00:00Z') },
    { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-01-02T00:00:00Z') },
  ],
];

test.each(sugar)('%j is brought into the canonical form', (input, filter) => {
  expect(Filter.parse(input)).toStrictEqual(filter);
});

const refused: [input: unknown, path: string, message: RegExp][] = [
  [{ acotr: 'a' }, '', /Unrecognized key: "acotr"/],
  [{ actor: { any: ['a'], nome: ['b'] } }, 'actor', /Unrecognized key: "nome"/],
  [{ actor: '' }, 'actor.any.0', /must not be empty/],
  [{ actor: { none: ['a', '\u0000'] } }, 'actor.none.1', /U\+0000/],
  [{ actor: 'x'.repeat(limits.idLengthMax + 1) }, 'actor.any.0', /at most 256 characters/],
  [{ actor: null }, 'actor.any.0', /expected string/],
  [{ actor: new Date(0) }, 'actor.any.0', /expected string/],
  [{ severity: ['info', 'high'] }, 'severity.any.1', /must be one of info, warning, error, critical/],
  [{ severityAtLeast: 'high' }, 'severityAtLeast', /must be one of info/],
  [{ action: '*' }, 'action.any.0', /invoice\.\*/],
  [{ action: '.*' }, 'action.any.0', /invoice\.\*/],
  [{ ip: '10.0.0.256' }, 'ip.any.0', /IPv4 or IPv6/],
  [{ ip: '2001:db8::/129' }, 'ip.any.0', /IPv4 or IPv6/],
  [{ id: 'x' }, 'id.any.0', /UUID/],
  [{ from: '2026-01-01' }, 'from', /with its zone/],
  [{ from: new Date(Number.NaN) }, 'from', /./],
  [{ from: new Date('+010000-01-01T00:00:00Z') }, 'from', /years 1 to 9999/],
  [{ recordedFrom: new Date(1), recordedTo: new Date(1) }, 'recordedTo', /later/],
  [{ metadata: { 'a b': 1 } }, 'metadata.0.path', /double quotes/],
  [{ metadata: { a: 2 ** 60 } }, 'metadata.0.any.0', /expected string/],
  [{ metadata: { a: [{}] } }, 'metadata.0.any.0', /expected string/],
  [{ metadata: [{ path: [], any: ['x'] }] }, 'metadata.0.path', /at least one key/],
  [
    {
      metadata: [
        { path: 'a', any: [1] },
        { path: ['a'], none: [2] },
      ],
    },
    'metadata.1.path',
    /twice/,
  ],
  [{ has: { root: 'metadata', path: [] } }, 'has', /Unrecognized/],
  [{ has: [{ root: 'metadata', path: [] }] }, 'has.all.0.path', /at least one key/],
  [{ has: 'metadata.a.b.c.d.e.f.g.h.i' }, 'has.all.0.path', /8 keys deep/],
  [{ has: [{ field: 'ip', root: 'metadata' }] }, 'has.all.0', /a field as ip, or a path/],
  [{ has: 'metadata' }, 'has.all.0.field', /a field as ip, or a path as metadata\.plan/],
  [{ actor: Array.from({ length: 101 }, String) }, 'actor.any', /at most 100 values/],
  [
    { actor: numbers(100), target: numbers(99), tag: { all: ['x'] }, metadata: { a: 'y' } },
    '',
    /at most 200 values in all/,
  ],
  [{ message: 'x'.repeat(8_000), reason: 'x'.repeat(8_192), text: 'x'.repeat(256) }, '', /16384 characters/],
  [new Date(0), '', /must be a filter object/],
  [new Map([['actor', 'a']]), '', /must be a filter object/],
  [JSON.parse('{"__proto__": {"actor": "a"}}'), '', /__proto__/],
  [null, '', /must be a filter object/],
  ['actor:a', '', /must be a filter object/],
];

test.each(refused)('%j is refused by name', (input, path, message) => {
  const issue = Filter.safeParse(input).error?.issues[0];
  expect(issue?.path.join('.')).toBe(path);
  expect(issue?.message).toMatch(message);
});

test('a filter shares nothing with the input that it came from', () => {
  const input = { from: new Date(0), actor: { any: ['a'] }, metadata: [{ path: ['a'], any: ['b'] }] };
  const filter = Filter.parse(input);
  input.from.setTime(1);
  input.actor.any.push('b');
  input.metadata[0]?.path.push('c');
  expect(filter).toStrictEqual({
    from: new Date(0),
    actor: { any: ['a'] },
    metadata: [{ path: ['a'], any: ['b'] }],
  });
});

test('the schema has a JSON Schema for the docs', () => {
  const schema = z.toJSONSchema(Filter, { io: 'input', unrepresentable: 'any' });
  expect(schema).toMatchObject({ properties: { severity: { properties: { any: { type: 'array' } } } } });
});

test('personal fields are found wherever a filter uses them', () => {
  expect(personalFieldsOf(Filter.parse({ actor: 'a', text: 'b', has: ['metadata.ip', 'target'] }))).toEqual(
    [],
  );
  expect(
    personalFieldsOf(
      Filter.parse({ ip: { none: ['::1'] }, actorLabel: 'A', has: { none: ['subject', 'ip'] } }),
    ),
  ).toEqual(['actorLabel', 'subject', 'ip']);
});

test('a prefix of actions keeps its dot, so that invoice.* does not select invoices.voided', () => {
  expect(actionPrefix('invoice.*')).toBe('invoice.');
  expect(actionPrefix('invoice.voided')).toBeUndefined();
});

function numbers(length: number): string[] {
  return Array.from({ length }, (_, index) => String(index));
}

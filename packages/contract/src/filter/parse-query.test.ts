import { expect, test } from 'vitest';
import { AnnalsError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Filter } from './filter.ts';
import { parseQuery } from './parse-query.ts';

const now = new Date('2026-03-01T12:00:00Z');
const date = (iso: string) => new Date(iso);

const meanings: [query: string, filter: Filter][] = [
  ['', {}],
  [' \n\t\u00a0 ', {}],
  [
    'actor:alice action:invoice.* -outcome:success severity:>=warning since:7d metadata.plan:pro "free text"',
    {
      from: date('2026-02-22T12:00:00Z'),
      actor: { any: ['alice'] },
      action: { any: ['invoice.*'] },
      outcome: { none: ['success'] },
      severityAtLeast: 'warning',
      metadata: [{ path: ['plan'], any: ['pro'] }],
      text: { all: ['free text'] },
    },
  ],
  // Repetition, negation, duplicates.
  ['actor:a actor:b -actor:c actor:a', { actor: { any: ['a', 'b'], none: ['c'] } }],
  ['severity:error severity:>=warning', { severity: { any: ['error'] }, severityAtLeast: 'warning' }],
  // Quotes, escapes, and what needs neither.
  ['actor:"Ann \\"the\\" \\\\ O\'Hara"', { actor: { any: ['Ann "the" \\ O\'Hara'] } }],
  [
    'target:arn:aws:s3:::x target:AD\\bob target:-1',
    { target: { any: ['arn:aws:s3:::x', 'AD\\bob', '-1'] } },
  ],
  ['actor:" padded "', { actor: { any: ['padded'] } }],
  // Text.
  ['refund -draft -"not this" "a:b"', { text: { all: ['refund', 'a:b'], none: ['draft', 'not this'] } }],
  ['"OR" or well-known metadata.plan', { text: { all: ['OR', 'or', 'well-known', 'metadata.plan'] } }],
  // Tags and presence.
  ['tag:a tag:b tag.all:c -tag:d', { tag: { any: ['a', 'b'], all: ['c'], none: ['d'] } }],
  [
    'has:ip -has:metadata.plan has:details."b c".d has:tag has:"ip"',
    {
      has: {
        all: [{ field: 'ip' }, { root: 'details', path: ['b c', 'd'] }, { field: 'tag' }],
        none: [{ root: 'metadata', path: ['plan'] }],
      },
    },
  ],
  // Paths.
  [
    'metadata.plan:pro metadata."odd key".y:"v w" metadata.plan:free -metadata.plan:5 details.x:"" metadata."a:b.\\"":1',
    {
      metadata: [
        { path: ['plan'], any: ['pro', 'free'], none: ['5'] },
        { path: ['odd key', 'y'], any: ['v w'] },
        { path: ['a:b."'], any: ['1'] },
      ],
      details: [{ path: ['x'], any: [''] }],
    },
  ],
  ['metadata.__proto__.constructor:x', { metadata: [{ path: ['__proto__', 'constructor'], any: ['x'] }] }],
  // Times.
  [
    'from:2026-01-01 to:2026-02-01T00:00:00+02:00 recorded.from:2026-01-01T00:00:00.5Z recorded.to:2027-01-01',
    {
      from: date('2026-01-01T00:00:00Z'),
      to: date('2026-01-31T22:00:00Z'),
      recordedFrom: date('2026-01-01T00:00:00.500Z'),
      recordedTo: date('2027-01-01T00:00:00Z'),
    },
  ],
  ['since:2w', { from: date('2026-02-15T12:00:00Z') }],
  ['since:12h', { from: date('2026-03-01T00:00:00Z') }],
  ['since:30m', { from: date('2026-03-01T11:30:00Z') }],
  ['since:90s', { from: date('2026-03-01T11:58:30Z') }],
  ['since:2026-01-01', { from: date('2026-01-01T00:00:00Z') }],
  // Canonical forms of values.
  ['ip:2001:DB8::/32 ip:10.0.0.1', { ip: { any: ['2001:db8::/32', '10.0.0.1'] } }],
  ['id:0190D1F0-7C3A-7B2E-8F00-000000000001', { id: { any: ['0190d1f0-7c3a-7b2e-8f00-000000000001'] } }],
];

test.each(meanings)('%j means what the grammar says', (query, filter) => {
  expect(parseQuery(query, { now })).toStrictEqual(filter);
});

const mistakes: [query: string, position: number, message: RegExp][] = [
  // Keys.
  ['a acotr:alice', 2, /not "acotr" \(did you mean "actor"\?\)/],
  ['Actor:alice', 0, /did you mean "actor"/],
  ['-foo:bar', 1, /expected a known key before the colon, not "foo"; to search .* double quotes/],
  ['see https://example.com/x', 4, /not "https".*double quotes/],
  ['metadata:x', 0, /did you mean "metadata\."/],
  ['metdata.plan:x', 0, /did you mean "metadata\."/],
  ['constructor:x', 0, /known key/],
  ['text:x', 0, /known key/],
  ['severityAtLeast:error', 0, /known key/],
  [':x', 0, /known key/],
  // Shape.
  ['a actor:', 8, /expected a value right after actor:/],
  ['actor: alice', 6, /expected a value right after actor:/],
  ['a -', 3, /expected a word, .* after the minus/],
  ['--a', 1, /after the minus/],
  ['a "b', 2, /expected a closing double quote/],
  ['actor:"b', 6, /expected a closing double quote/],
  ['"a\\n"', 2, /expected \\" or \\\\/],
  ['"a"b', 3, /expected a space/],
  ['actor:a"b"', 7, /expected a space/],
  ['metadata.:x', 9, /expected a key of the path/],
  ['metadata.a..b:x', 11, /expected a key of the path/],
  ['metadata."a" b', 12, /expected a dot or a colon/],
  ['has:metadata. x', 13, /expected a key of the path/],
  ['a OR b', 2, /expected no operator/],
  // Values.
  ['x severity:high', 11, /^severity: must be one of info, warning, error, critical$/],
  ['severity:>=high', 9, /must be one of info/],
  ['severity:>error', 9, /must be one of info/],
  ['-severity:>=error', 0, /no minus/],
  ['a ip:10.0.0.0/33', 5, /^ip: must be an IPv4/],
  ['action:*', 7, /prefix of actions as invoice\.\*/],
  ['action:inv*', 7, /prefix of actions/],
  ['id:42', 3, /UUID/],
  ['actor:a actor:""', 14, /must not be empty/],
  ['"" a', 0, /must not be empty/],
  ['actor:\ud800', 6, /lone surrogate/],
  ['has:nothing', 4, /must be a field as ip, or a path/],
  ['has:metadata.a.b.c.d.e.f.g.h.i', 4, /at most 8 keys deep/],
  ['metadata.a.b.c.d.e.f.g.h.i:1', 0, /at most 8 keys deep/],
  ['tag:a -tag.all:b', 6, /no minus/],
  // Times.
  ['from:yesterday', 5, /^from: expected a day as/],
  ['from:2026-02-30', 5, /expected a day as/],
  ['from:2026-01-01T00:00:00', 5, /with its zone/],
  ['from:7d', 5, /expected a day as/],
  ['since:7y', 6, /a duration as 7d/],
  ['since:999999999w', 6, /duration/],
  ['-from:2026-01-01', 0, /no minus before from:/],
  ['from:2026-01-01 since:7d', 22, /no second value for from/],
  ['to:2026-01-01 from:2026-01-02', 3, /^to: must be later/],
  ['from:2026-01-01 to:2026-01-01', 19, /^to: must be later/],
];

test.each(mistakes)('%j is refused where it goes wrong', (query, position, message) => {
  const error = problemOf(query);
  expect(error).toMatchObject({ code: 'invalid_query', position });
  expect(error.message).toMatch(message);
});

test('a value too many is refused where the last one stands', () => {
  const query = Array.from({ length: limits.filterValuesMax + 1 }, (_, n) => `actor:${n}`).join(' ');
  expect(problemOf(query)).toMatchObject({
    position: query.lastIndexOf('100'),
    message: 'actor: must be at most 100 values',
  });
});

test('of several bad values the first in the query is told', () => {
  expect(problemOf('outcome:bad severity:worse actor:""').message).toMatch(/^outcome:/);
});

test('a text longer than the limit is refused unread, and the limit is told', () => {
  expect(problemOf('"'.repeat(limits.queryLengthMax + 1))).toMatchObject({
    code: 'invalid_query',
    limit: limits.queryLengthMax,
    position: limits.queryLengthMax,
  });
});

function problemOf(query: string): AnnalsError {
  try {
    parseQuery(query, { now });
  } catch (error) {
    if (error instanceof AnnalsError) return error;
    throw error;
  }
  throw new Error('the query was accepted');
}

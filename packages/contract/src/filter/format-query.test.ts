import { expect, test } from 'vitest';
import type { FilterInput } from './filter.ts';
import { formatQuery } from './format-query.ts';
import { Filter } from './schema.ts';

const texts: [filter: FilterInput, query: string][] = [
  [{}, ''],
  // One order, whatever the order of the parts.
  [
    {
      text: 'late',
      outcome: { none: ['success'], any: ['denied'] },
      actor: 'alice',
      from: '2026-01-01T00:00:00Z',
    },
    'from:2026-01-01 outcome:denied -outcome:success actor:alice late',
  ],
  [
    { from: '2026-01-01T00:00:00.001Z', to: '2026-02-01T10:00:00Z', recordedTo: '2026-03-01T00:00:00Z' },
    'from:2026-01-01T00:00:00.001Z to:2026-02-01T10:00:00Z recorded.to:2026-03-01',
  ],
  [
    { severity: 'info', severityAtLeast: 'warning', tag: { all: ['c'], any: ['a'], none: ['d'] } },
    'severity:info severity:>=warning tag.all:c tag:a -tag:d',
  ],
  // Quotes only where they are needed.
  [
    { target: ['a:b', '-1', 'AD\\bob', 'a b', 'say "x"', 'a "\\'] },
    String.raw`target:a:b target:-1 target:AD\bob target:"a b" target:"say \"x\"" target:"a \"\\"`,
  ],
  [
    { text: { all: ['a-b', '-b', 'a:b', 'OR', 'or', 'a b'], none: ['-x'] } },
    'a-b "-b" "a:b" "OR" or "a b" -"-x"',
  ],
  [
    {
      metadata: { plan: 'pro', '"odd key".y': ['v w', ''], '"a.b"': 5 },
      details: [{ path: ['x"'], none: [true] }],
    },
    String.raw`metadata.plan:pro metadata."odd key".y:"v w" metadata."odd key".y:"" metadata."a.b":5 -details."x\"":true`,
  ],
  [
    { has: { all: ['ip', 'metadata."b c"'], none: ['details.x'] } },
    'has:ip has:metadata."b c" -has:details.x',
  ],
];

test.each(texts)('%j is written in one way', (filter, query) => {
  expect(formatQuery(Filter.parse(filter))).toBe(query);
});

import { expect, test } from 'vitest';
import { UsageError } from '../cli/exit.ts';
import { parseMapping } from './mapping.ts';
import { isLike } from './rule.ts';

const fields = {
  action: { const: 'a.b' },
  occurredAt: 'at',
  actor: { type: { const: 'system' } },
};

function problemsOf(input: unknown): string {
  try {
    parseMapping(input, 'shop.json');
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return '';
}

test('a mapping that cannot be used names each bad part and what was expected', () => {
  const problems = problemsOf({
    version: 1,
    format: 'Shop',
    fields: {
      ...fields,
      occurredAt: { path: 'at', transform: ['tiem'] },
      severity: { from: 'level', const: 'info' },
      color: 'colour',
      context: { ipAddress: 'ip' },
      details: { auth: { methods: 'm' } },
      message: { template: 'a {b' },
      reason: { path: 'a..b' },
    },
    metadata: { rest: true, fields: { a: 'b' } },
    extra: 1,
  });
  for (const expected of [
    /^shop\.json is not a usable mapping:/,
    /format: must be 1 to 64 of a-z 0-9 _ -/,
    /fields\.occurredAt\.transform\.0: must be one of the transforms .* not "tiem"/,
    /fields\.severity: must have exactly one of path, from, const and template/,
    /fields: Unrecognized key: "color"/,
    /fields\.context: Unrecognized key: "ipAddress"/,
    /fields\.details\.auth: Unrecognized key: "methods"/,
    /fields\.message\.template: must have a closing brace/,
    /fields\.reason.*: must be a path/,
    /metadata: must have rest or fields, not both/,
    /Unrecognized key: "extra"/,
  ]) {
    expect(problems).toMatch(expected);
  }
});

test('action, time and actor are needed', () => {
  const problems = problemsOf({ version: 1, format: 'shop', fields: {} });
  expect(problems).toMatch(/fields\.action/);
  expect(problems).toMatch(/fields\.occurredAt/);
  expect(problems).toMatch(/fields\.actor/);
});

test.each([
  ['AccessDenied', 'AccessDenied', true],
  ['AccessDenied', '*Denied', true],
  ['VpceAccessDenied', '*Access*Denied*', true],
  ['aa', 'a*a', true],
  ['a', 'a*a', false],
  ['', '*', true],
  ['abcabc', 'a*c*bc', true],
  ['Access', '*Denied*', false],
])('%j is like %j: %s', (text, pattern, expected) => {
  expect(isLike(text, pattern)).toBe(expected);
});

import { AnnalsError, errorCodes } from '@annals/contract';
import { expect, test } from 'vitest';
import { describeError } from './errors.ts';
import { ExitError } from './exit.ts';

test('each kind of failure has an exit code of its own', () => {
  const exits = Object.fromEntries(
    errorCodes.map((code) => [code, describeError(new AnnalsError({ code, message: 'm' })).exit]),
  );
  expect(exits).toMatchObject({
    unauthenticated: 'auth',
    forbidden: 'auth',
    plan_drifted: 'refused',
    plan_not_open: 'refused',
    invalid_input: 'usage',
    not_found: 'failure',
    overloaded: 'failure',
    unavailable: 'failure',
  });
  expect(describeError(new ExitError('declined', 'no')).exit).toBe('declined');
});

test('what can be mended is a sentence that a terminal cannot be harmed by; a defect shows its stack', () => {
  const error = new AnnalsError({
    code: 'invalid_input',
    path: 'ids.0',
    message: 'bad \u{1b}[31m',
    limit: 5,
  });
  expect(describeError(error).message).toBe('ids.0: bad \\u{1b}[31m');
  expect(describeError(error).event).toMatchObject({
    event: 'error',
    code: 'invalid_input',
    path: 'ids.0',
    limit: 5,
  });
  expect(describeError(Object.assign(new Error('no space left'), { code: 'ENOSPC' })).message).toBe(
    'no space left',
  );
  expect(describeError(new TypeError('x is not a function')).message).toContain('errors.test.ts');
});

test('what cannot be reached is told with its reason', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:4983'), { code: 'ECONNREFUSED' });
  const both = new AggregateError([], '');
  for (const [cause, expected] of [
    [new TypeError('fetch failed', { cause: refused }), 'gone: connect ECONNREFUSED 127.0.0.1:4983'],
    [new TypeError('fetch failed', { cause: Object.assign(both, { code: 'ENOTFOUND' }) }), 'gone: ENOTFOUND'],
    [undefined, 'gone'],
  ] as const) {
    expect(describeError(new AnnalsError({ code: 'unavailable', message: 'gone' }, { cause })).message).toBe(
      expected,
    );
  }
});

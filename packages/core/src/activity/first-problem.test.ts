import { expect, test } from 'vitest';
import { firstProblem, type Issue } from './first-problem.ts';

const issue = (rest: Partial<Issue>): Issue => ({
  code: 'custom',
  path: ['a', 0],
  message: 'is wrong',
  ...rest,
});

test('the first issue is told, with its path below the root', () => {
  expect(firstProblem([issue({}), issue({ path: [] })], 'root')).toEqual({
    message: 'is wrong',
    path: 'root.a.0',
  });
  expect(firstProblem([issue({ path: [] })], 'root').path).toBe('root');
  expect(firstProblem([issue({})], '').path).toBe('a.0');
  expect(firstProblem([issue({ path: [] })], '').path).toBe('');
});

test('a limit that was passed is told as a number', () => {
  expect(firstProblem([issue({ code: 'too_big', maximum: 5n })], 'r').limit).toBe(5);
  expect(firstProblem([issue({ code: 'too_small', minimum: 1 })], 'r').limit).toBe(1);
});

test('an unknown key is named by the path', () => {
  const unknown = issue({ code: 'unrecognized_keys', keys: ['x', 'y'] });
  expect(firstProblem([unknown], 'r')).toEqual({ message: 'is not a known field', path: 'r.a.0.x' });
  expect(firstProblem([{ ...unknown, path: [] }], '').path).toBe('x');
});

test('of a union without words of its own, the branch that came furthest is told', () => {
  const branches = [
    [issue({ path: [], message: 'must be text' })],
    [issue({ path: ['b'], message: 'is too long' })],
  ];
  const union = issue({ code: 'invalid_union', errors: branches, message: 'Invalid input' });
  expect(firstProblem([union], 'r')).toEqual({ message: 'is too long', path: 'r.a.0.b' });
  expect(firstProblem([{ ...union, message: 'must be text or more' }], 'r')).toEqual({
    message: 'must be text or more',
    path: 'r.a.0',
  });
});

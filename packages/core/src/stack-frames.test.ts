import { expect, test } from 'vitest';
import { describeFailure } from './job/describe-failure.ts';
import { stackFrames } from './stack-frames.ts';

const hostile = 'invalid input: "x\n    at Ada Lovelace (ada@example.com:1:2)\n    at ada"';

test('the frames of an error say where it was thrown, and nothing of its message', () => {
  const error = new Error(hostile);
  const frames = stackFrames(error);
  expect(frames[0]).toMatch(/^at .*stack-frames\.test\.ts:\d+:\d+\)?$/);
  expect(frames.join('\n')).not.toMatch(/ada/i);
});

test('nor of the message of an error whose stack is repeated in it, as drivers do', () => {
  const error = new Error(hostile);
  error.stack += `\n\nprevious ${error.stack}`;
  expect(JSON.stringify(describeFailure(error))).not.toMatch(/ada/i);
});

test('an error without a stack has no frames', () => {
  const error = new Error('x');
  delete error.stack;
  expect(stackFrames(error)).toEqual([]);
});

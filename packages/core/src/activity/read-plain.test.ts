import { ActivityInput, limits } from '@annals/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPlain } from './read-plain.ts';
import { full, minimal } from './testing.ts';
import { hostileInput, nearlyValidInput } from './testing-inputs.ts';

/** What the schema makes of an input; undefined where it refuses it, or throws over it. */
function readBySchema(input: unknown): ActivityInput | undefined {
  try {
    return ActivityInput.safeParse(input).data;
  } catch {
    return undefined;
  }
}

/** Whatever is accepted, the schema accepts as the same; and its size is no larger than was said. */
function agrees(input: unknown): boolean {
  const plain = readPlain(input);
  if (plain === undefined) return false;
  const { valid, bytesMax } = plain;
  expect(valid).toEqual(readBySchema(input));
  expect(Buffer.byteLength(JSON.stringify(valid))).toBeLessThanOrEqual(bytesMax);
  return true;
}

describe('what is read without the schema, the schema reads as the same', () => {
  test('of inputs that are valid, or nearly', () => {
    let accepted = 0;
    let valid = 0;
    fc.assert(
      fc.property(nearlyValidInput, (input) => {
        if (agrees(input)) accepted += 1;
        if (readBySchema(input)) valid += 1;
      }),
      { numRuns: 1_500 },
    );
    // Else it would be of no use, or the test of none.
    expect(accepted).toBeGreaterThan(250);
    expect(accepted).toBeGreaterThan(valid / 2);
  });

  test('of inputs with something hostile in them', () => {
    fc.assert(
      fc.property(hostileInput, (input) => void agrees(input)),
      { numRuns: 2_500 },
    );
  });

  test('of any values at all', () => {
    const options = { withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true };
    fc.assert(
      fc.property(fc.anything(options), fc.anything(options), (input, metadata) => {
        agrees(input);
        agrees({ ...minimal, metadata });
        agrees({ ...minimal, metadata: { metadata } });
      }),
      { numRuns: 1_000 },
    );
  });
});

test.each([
  ['the least there can be', minimal],
  ['one with every field', { ...full, context: { ...full.context, ip: '2001:db8::1' } }],
  ['one as it comes over HTTP', JSON.parse(JSON.stringify({ ...full, context: { ip: '192.0.2.1' } }))],
  ['one at the limits', { ...minimal, message: 'x'.repeat(limits.textLengthMax), tags: Array(32).fill('x') }],
])('no usual input is left to the schema: %s', (_name, input) => {
  expect(agrees(input)).toBe(true);
});

test('what the caller changes afterwards does not reach what was read', () => {
  const input = { ...minimal, tags: ['a'], metadata: { list: [{ a: 1 }] }, occurredAt: new Date(5) };
  const plain = readPlain(input);
  input.tags.push('b');
  input.metadata.list[0] = { a: 2 };
  input.occurredAt.setTime(6);
  expect(plain?.valid).toMatchObject({
    tags: ['a'],
    metadata: { list: [{ a: 1 }] },
    occurredAt: new Date(5),
  });
});

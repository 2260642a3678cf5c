import { expect, test } from 'vitest';
import { z } from 'zod';
import { ActivityInput } from './activity/activity-input.ts';
import { procedures } from './procedures.ts';

const inputs: readonly (readonly [string, z.ZodType])[] = [
  ...Object.entries(procedures).map(([name, { input }]) => [name, input] as const),
  ['an activity', ActivityInput],
];

/** The lists without a longest length in a JSON schema. */
function endlessLists(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const endless = 'type' in schema && schema.type === 'array' && !('maxItems' in schema);
  const inner = Object.entries(schema).flatMap(([key, value]) => endlessLists(value, `${path}.${key}`));
  return endless ? [path, ...inner] : inner;
}

// Of a list of millions, each item is checked, and told of when it is wrong, before anything else is done.
test.each(inputs)('no list in the input of %s is endless', (_, input) => {
  expect(endlessLists(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }))).toEqual([]);
});

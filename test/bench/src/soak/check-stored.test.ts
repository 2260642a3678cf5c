import { expect, test } from 'vitest';
import { compare } from './check-stored.ts';

const wanted = [10, 11, 12, 13];

test.each<[string, number[], Partial<ReturnType<typeof compare>>]>([
  ['all, in order', [10, 11, 12, 13], {}],
  ['nothing', [], { missing: 4 }],
  ['one less', [10, 12, 13], { missing: 1 }],
  ['one twice', [10, 11, 11, 12, 13], { double: 1 }],
  ['the end again', [10, 11, 12, 13, 12, 13], { double: 2 }],
  ['two in the wrong order', [10, 12, 11, 13], { misplaced: 1 }],
  ['one that was not to be told', [10, 11, 99, 12, 13], { misplaced: 1 }],
])('a tail that told %s is found out', (_, told, found) => {
  expect(compare(told, wanted)).toEqual({ wanted: 4, missing: 0, double: 0, misplaced: 0, ...found });
});

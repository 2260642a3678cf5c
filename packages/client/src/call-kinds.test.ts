import { procedures } from '@annals/contract';
import { expect, test } from 'vitest';
import { mutations } from './call-kinds.ts';

test('mutations are those of the contract', () => {
  const told = Object.entries(procedures).flatMap(([name, { type }]) => (type === 'mutation' ? [name] : []));
  expect([...mutations].toSorted()).toEqual(told.toSorted());
});

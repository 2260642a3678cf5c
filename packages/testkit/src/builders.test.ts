import { expect, test } from 'vitest';
import { anActivity, aTenantId } from './builders.ts';
import { createFakeClock } from './fake-clock.ts';

const timeOfId = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

test('the time inside the id equals occurredAt, whichever is overridden', () => {
  const occurredAt = new Date('2021-03-04T05:06:07.089Z');
  expect(timeOfId(anActivity().id)).toBe(anActivity().occurredAt.getTime());
  expect(timeOfId(anActivity({ occurredAt }).id)).toBe(occurredAt.getTime());
});

test('two activities differ in their id only', () => {
  const { id: firstId, ...first } = anActivity();
  const { id: secondId, ...second } = anActivity();
  expect(first).toEqual(second);
  expect(firstId).not.toBe(secondId);
});

test('any field can be overridden or added', () => {
  const activity = anActivity({ action: 'user.login', tags: ['a'] });
  expect(activity).toMatchObject({ action: 'user.login', tags: ['a'], actor: { label: 'Ada Lovelace' } });
});

test('tenant ids are valid and unique', () => {
  const ids = Array.from({ length: 50 }, aTenantId);
  expect(new Set(ids).size).toBe(50);
  for (const id of ids) expect(id).toMatch(/^t_[0-9a-f]{16}$/);
});

test('the fake clock moves only when told to', () => {
  const clock = createFakeClock(new Date(1000));
  clock.now().setTime(5);
  expect(clock.now().getTime()).toBe(1000);
  clock.advance(250);
  expect(clock.now().getTime()).toBe(1250);
  clock.set(new Date(7));
  expect(clock.now().getTime()).toBe(7);
});

import { version } from 'uuid';
import { expect, test } from 'vitest';
import { createSerials, idOf, isOurs, serialOf } from './serials.ts';

test('the number and the time of an activity stand in its id', () => {
  const at = new Date('2026-09-01T00:00:00.123Z');
  for (const serial of [0, 1, 4_294_967_296, 2 ** 48 - 1]) {
    const id = idOf(at, serial);
    expect([version(id), serialOf(id), isOurs(id)]).toEqual([7, serial, true]);
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(at.getTime());
  }
  expect(isOurs('01a1ff55-c1d5-76c0-a4c0-a849688abbcb')).toBe(false);
});

test('a set of numbers holds what was added, once, however far it reaches, and in another process too', () => {
  const serials = createSerials();
  const added = [0, 7, 8, 8, 1_000_000, 3_000_000, 7];
  for (const serial of added) serials.add(serial);
  const copy = createSerials(serials.bytes());
  for (const set of [serials, copy]) {
    expect(set.size).toBe(new Set(added).size);
    for (const serial of added) expect(set.has(serial)).toBe(true);
    for (const other of [1, 9, 999_999, 30_000_000]) expect(set.has(other)).toBe(false);
  }
});

import { ActivityInput } from '@annals/contract';
import { expect, test } from 'vitest';
import { generateDemo } from './generate.ts';

const end = new Date('2026-11-18T16:30:00.000Z');

test('the demo is the same for the same seed and end', () => {
  expect(generateDemo({ seed: 7, end })).toEqual(generateDemo({ seed: 7, end }));
  expect(generateDemo({ seed: 8, end })[0]?.id).not.toBe(generateDemo({ seed: 7, end })[0]?.id);
});

test('the demo is a month of about 20,000 valid activities in time order, none in the future', () => {
  const activities = generateDemo({ seed: 1, end });
  expect(activities.length).toBeGreaterThan(17_000);
  expect(activities.length).toBeLessThan(25_000);
  const times = activities.map(({ occurredAt }) => occurredAt.getTime());
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(Math.max(...times)).toBeLessThanOrEqual(end.getTime());
  expect(Math.min(...times)).toBeGreaterThan(end.getTime() - 31 * 86_400_000);
  expect(new Set(activities.map(({ id }) => id)).size).toBe(activities.length);
  for (const activity of activities) ActivityInput.parse(activity);
});

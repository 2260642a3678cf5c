import { expect, test } from 'vitest';
import { percentilesOf } from './latencies.ts';

test('percentiles are those of the calls that began in a third', () => {
  const latencies = { atMs: [-5, 0, 10, 99, 100, 200, 299, 350], ms: [99, 1, 2, 3, 50, 7, 8, 9] };
  const of = (third: number) => percentilesOf(latencies, { third, lengthMs: 300 });
  expect(of(0)).toMatchObject({ p50: 2, max: 3, calls: 3 });
  expect(of(1)).toMatchObject({ p50: 50, p99: 50, calls: 1 });
  // Behind the end it is still the last.
  expect(of(2)).toMatchObject({ p50: 8, max: 9, calls: 3 });
});

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addFigures, keepCounts } from './add-figures.ts';

/** A process that has counted so much. */
async function figuresOf(count: number) {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'calls_total', help: 'c', labelNames: ['status'], registers }).inc(
    { status: 200 },
    count,
  );
  new Gauge({ name: 'connections', help: 'g', registers }).set(count);
  const took = new Histogram({ name: 'took_seconds', help: 'h', buckets: [1, 10], registers });
  for (let call = 0; call < count; call += 1) took.observe(call);
  return registry.getMetricsAsJSON();
}

test('what processes have counted is added up, label by label and bucket by bucket', async () => {
  const text = await addFigures([await figuresOf(2), await figuresOf(12)]).metrics();
  expect(text).toContain('calls_total{status="200"} 14');
  expect(text).toContain('connections 14');
  expect(text).toContain('took_seconds_bucket{le="1"} 4');
  expect(text).toContain('took_seconds_count 14');
});

test('counts of a process that has ended stay in the sum; its connections do not', async () => {
  const [one, other, next] = await Promise.all([figuresOf(3), figuresOf(4), figuresOf(1)]);
  const left = await keepCounts(await keepCounts([], one), other);
  const text = await addFigures([next, left]).metrics();
  expect(text).toContain('calls_total{status="200"} 8');
  expect(text).toContain('took_seconds_count 8');
  expect(text).toContain('connections 1');
});

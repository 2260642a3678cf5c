import { expect, test } from 'vitest';
import { type Row, rowOf } from '../row.ts';
import { costSeries } from './cost-series.ts';
import { drawCost } from './draw-cost.ts';
import { parseSvg } from './testing.ts';

const sizes = [10_000, 100_000, 1_000_000, 10_000_000];

function rowsOf(name: string, unit: string, cost: (size: number) => number): Row[] {
  return sizes.map((size) => rowOf({ name, size, unit }, [{ ours: cost(size) }]));
}

const rows = [
  ...rowsOf('append <1,000> & more', 'records/s', () => 20_000),
  ...rowsOf('first page', 'ms', (size) => size / 1e6),
  ...rowsOf('proof', 'us a proof', (size) => Math.sqrt(size)),
  rowOf({ name: 'of no size', unit: 'ms' }, [{ ours: 1 }]),
];

test('a rate becomes the time of one, and the slope is the power of the size with which a cost grows', () => {
  const [append, page, proof] = costSeries(rows);
  expect(append?.points).toEqual(sizes.map((size) => [size, 0.05]));
  expect([append, page, proof].map((series) => series?.slope.toFixed(3))).toEqual([
    '0.000',
    '1.000',
    '0.500',
  ]);
});

test('what is no time has no place in the plot', () => {
  const bytes = rowsOf('storage', 'bytes', () => 1_000);
  expect(costSeries([...bytes, ...rowsOf('nothing', 'ms', () => 0)])).toEqual([]);
  expect(() => drawCost(bytes)).toThrow(/size/);
});

test('every series has its line, its points in order, and its place in the legend', () => {
  const elements = parseSvg(drawCost(rows, 'a machine'));
  const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
  for (const wanted of ['append <1,000> & more', 'first page', 'proof', 'a machine', 'records in the log']) {
    expect(texts).toContain(wanted);
  }
  expect(texts).toEqual(expect.arrayContaining(['10 k', '1 M', '10 M', '1 ms', '10 ms']));
  expect(texts).not.toContain('of no size');
  const lines = elements.filter(({ attributes }) => attributes['class']?.startsWith('line '));
  expect(lines).toHaveLength(3);
  const [flat, growing] = lines.map(({ attributes }) => pointsOf(attributes['points']));
  expect(flat?.map(([x]) => x)).toEqual(flat?.map(([x]) => x).toSorted((a = 0, b = 0) => a - b));
  expect(new Set(flat?.map(([, y]) => y)).size).toBe(1);
  // Upwards is less.
  expect(growing?.map(([, y]) => y)).toEqual(growing?.map(([, y]) => y).toSorted((a = 0, b = 0) => b - a));
});

test('nothing is drawn outside of the picture', () => {
  const elements = parseSvg(drawCost(rows));
  const [picture] = elements;
  const [width, height] = [Number(picture?.attributes['width']), Number(picture?.attributes['height'])];
  for (const { attributes } of elements) {
    for (const [x = 0, y = 0] of pointsOf(attributes['points'])) {
      expect(x >= 0 && x <= width && y >= 0 && y <= height).toBe(true);
    }
  }
});

function pointsOf(text = ''): number[][] {
  return text === '' ? [] : text.split(' ').map((point) => point.split(',').map(Number));
}

import { expect, test } from 'vitest';
import type { Result } from '../result.ts';
import { type Row, rowOf } from '../row.ts';
import { drawTrend } from './draw-trend.ts';
import { parseSvg } from './testing.ts';

const machine = { cpu: 'any', cores: 2, memoryGiB: 1, system: 'any', node: '24' };

function resultAt(at: string, rows: readonly Row[]): Result {
  return { machine, at, rows };
}

const append = (ours: number, reference: number) =>
  rowOf({ name: 'append', unit: 'records/s', referenceName: 'COPY', target: { of: 'ratio', atLeast: 0.5 } }, [
    { ours, reference },
  ]);
const page = (ours: number) => rowOf({ name: 'page', unit: 'ms' }, [{ ours }]);

test('rows of several runs are drawn in the order of time, whatever that of the files: the ratio where there is one', () => {
  const elements = parseSvg(
    drawTrend([
      resultAt('2026-11-03T00:00:00Z', [append(60, 100), page(5)]),
      resultAt('2026-11-01T00:00:00Z', [append(20, 100), page(9)]),
      resultAt('2026-11-02T00:00:00Z', [append(40, 100), page(7)]),
    ]),
  );
  const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
  expect(texts).toEqual(
    expect.arrayContaining([
      'append / COPY',
      'page',
      '0.6',
      '5',
      'target 0.5',
      'ms, 2026-11-01 to 2026-11-03',
    ]),
  );
  const lines = elements.filter(({ attributes }) => attributes['class']?.startsWith('line '));
  const heights = lines.map(({ attributes }) =>
    (attributes['points'] ?? '').split(' ').map((point) => Number(point.split(',')[1])),
  );
  const [ratios = [], pages = []] = heights;
  // Upwards is less.
  expect(ratios).toEqual(ratios.toSorted((a, b) => b - a));
  expect(pages).toEqual(pages.toSorted((a, b) => a - b));
});

test('what one run alone has is left out, and where all is, that is said', () => {
  const [one, other] = [resultAt('2026-11-01T00:00:00Z', [page(1)]), resultAt('2026-11-02T00:00:00Z', [])];
  expect(() => drawTrend([one, other])).toThrow(/in common/);
  const both = drawTrend([
    resultAt('2026-11-01T00:00:00Z', [page(1), append(1, 2)]),
    resultAt('2026-11-02T00:00:00Z', [page(2)]),
  ]);
  expect(both).not.toContain('append');
});

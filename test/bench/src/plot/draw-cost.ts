import type { Row } from '../row.ts';
import { type CostSeries, costSeries, timeText } from './cost-series.ts';
import { colours, lineThrough, markerAt, type Point, svgOf, textAt } from './svg.ts';

const width = 960;
const plot = { left: 76, right: 560, top: 48, bottom: 430 };
const lineHeight = 20;

/** A log-log plot of cost against size, as SVG. Errors: where no row was taken at a size. */
export function drawCost(rows: readonly Row[], subtitle = ''): string {
  const series = costSeries(rows);
  if (series.length === 0) throw new Error('no row was taken at a size of the log');
  const sizes = decades(series.flatMap(({ points }) => points.map(([size]) => size)));
  const costs = decades(series.flatMap(({ points }) => points.map(([, ms]) => ms)));
  const place = ([size, ms]: Point): Point => [
    scale(size, sizes, [plot.left, plot.right]),
    scale(ms, costs, [plot.bottom, plot.top]),
  ];
  const title = 'What one operation costs as the log grows';
  return svgOf({
    width,
    height: Math.max(plot.bottom + 60, plot.top + (series.length + 1) * lineHeight * 2),
    title,
    body: [
      textAt([plot.left, 22], title, { className: 'title' }),
      textAt([plot.left, 38], subtitle, { className: 'quiet' }),
      ...sizes.map((size) => lineThrough([place([size, first(costs)]), place([size, last(costs)])], 'grid')),
      ...costs.map((ms) => lineThrough([place([first(sizes), ms]), place([last(sizes), ms])], 'grid')),
      ...sizes.map((size) =>
        textAt(below(place([size, first(costs)])), sizeText(size), { anchor: 'middle' }),
      ),
      ...costs.map((ms) => textAt(beside(place([first(sizes), ms])), timeText(ms), { anchor: 'end' })),
      textAt([(plot.left + plot.right) / 2, plot.bottom + 42], 'records in the log', { anchor: 'middle' }),
      textAt([18, (plot.top + plot.bottom) / 2], 'time of one operation', { anchor: 'middle', turned: true }),
      ...series.flatMap((one, at) => drawSeries(one, at, place)),
    ],
  });
}

function drawSeries(
  { name, points, slope }: CostSeries,
  at: number,
  place: (point: Point) => Point,
): string[] {
  const placed = points.map(place);
  const y = plot.top + 6 + at * lineHeight * 2;
  return [
    lineThrough(placed, `line s${at % colours}`),
    ...placed.map((point) => markerAt(point, at)),
    markerAt([plot.right + 24, y - 4], at),
    textAt([plot.right + 36, y], name),
    textAt([plot.right + 36, y + 15], slopeText(slope, points), { className: 'quiet' }),
  ];
}

function slopeText(slope: number, points: CostSeries['points']): string {
  const ends = [points[0], points.at(-1)].map((point) => timeText(point?.[1] ?? 0)).join(' to ');
  return Number.isNaN(slope) ? ends : `${ends}, slope ${slope.toFixed(2)}`;
}

/** The powers of ten from one at most as small as the values to one as great; two at least. */
function decades(values: readonly number[]): number[] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
}

function scale(value: number, ticks: readonly number[], [from, to]: Point): number {
  const [low, high] = [Math.log10(first(ticks)), Math.log10(last(ticks))];
  return from + ((Math.log10(value) - low) / (high - low)) * (to - from);
}

function first(values: readonly number[]): number {
  return values[0] as number;
}

function last(values: readonly number[]): number {
  return values.at(-1) as number;
}

function below([x, y]: Point): Point {
  return [x, y + 20];
}

function beside([x, y]: Point): Point {
  return [x - 8, y + 4];
}

function sizeText(size: number): string {
  if (size >= 1e6) return `${size / 1e6} M`;
  return size >= 1e3 ? `${size / 1e3} k` : String(size);
}

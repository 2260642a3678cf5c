import type { Result } from '../result.ts';
import type { Row } from '../row.ts';
import { lineThrough, markerAt, type Point, svgOf, textAt } from './svg.ts';

const cell = { width: 300, height: 130, left: 12, right: 222, top: 40, bottom: 112 };
const columns = 3;

interface Story {
  readonly name: string;
  readonly unit: string;
  /** What the values should keep to, where there is such a line. */
  readonly target: number | undefined;
  readonly points: readonly Point[];
}

/**
 * How each row went over time, as SVG: a small plot each, of its ratio where it has one, since that says more than
 * figures of different days. Rows of one run alone are left out. Errors: where nothing is left.
 */
export function drawTrend(results: readonly Result[]): string {
  const stories = storiesOf(results.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)));
  if (stories.length === 0) throw new Error('there are no two runs that have a row in common');
  const height = 40 + Math.ceil(stories.length / columns) * cell.height;
  const title = 'How the figures went from run to run';
  return svgOf({
    width: columns * cell.width,
    height,
    title,
    body: [
      textAt([cell.left, 24], title, { className: 'title' }),
      ...stories.flatMap((story, at) =>
        drawStory(story, [(at % columns) * cell.width, 40 + Math.floor(at / columns) * cell.height]),
      ),
    ],
  });
}

function storiesOf(results: readonly Result[]): Story[] {
  const seen = results.flatMap(({ at, rows }) =>
    rows.filter(({ detail }) => !detail).map((row) => ({ key: keyOf(row), atMs: Date.parse(at), row })),
  );
  return [...Map.groupBy(seen, ({ key }) => key)].flatMap(([name, its]) => {
    const [newest] = its.slice(-1);
    if (its.length < 2 || !newest) return [];
    const { target, unit, ratio } = newest.row;
    const valueOf = (row: Row) => (ratio === undefined ? row.ours : (row.ratio ?? Number.NaN));
    const points = its
      .map(({ atMs, row }): Point => [atMs, valueOf(row)])
      .filter(([, value]) => Number.isFinite(value));
    const fits = target !== undefined && (target.of === 'ratio') === (ratio !== undefined);
    const line = fits ? (target.atLeast ?? target.atMost) : undefined;
    return points.length < 2
      ? []
      : [{ name, unit: ratio === undefined ? unit : 'ratio', target: line, points }];
  });
}

function keyOf({ name, size, referenceName }: Row): string {
  const at = size === undefined ? '' : ` at ${size.toLocaleString('en')}`;
  return `${name}${at}${referenceName === undefined ? '' : ` / ${referenceName}`}`;
}

function drawStory({ name, unit, target, points }: Story, [left, top]: Point): string[] {
  const values = [...points.map(([, value]) => value), ...(target === undefined ? [] : [target])];
  // From zero, so that noise looks like noise.
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const [begin, end] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const place = ([atMs, value]: Point): Point => [
    left + cell.left + part(atMs, begin, end) * (cell.right - cell.left),
    top + cell.bottom - part(value, low, high) * (cell.bottom - cell.top),
  ];
  const placed = points.map(place);
  const newest = placed.at(-1) as Point;
  return [
    textAt([left + cell.left, top + 14], shorten(name, 48)),
    textAt([left + cell.left, top + 30], `${unit}, ${dayOf(begin)} to ${dayOf(end)}`, { className: 'quiet' }),
    ...(target === undefined
      ? []
      : [
          lineThrough([place([begin, target]), place([end, target])], 'target'),
          textAt(
            [left + cell.right + 8, place([end, target])[1] + (target > (points.at(-1)?.[1] ?? 0) ? -8 : 16)],
            `target ${figure(target)}`,
            {
              className: 'quiet',
            },
          ),
        ]),
    lineThrough([place([begin, low]), place([end, low])], 'grid'),
    lineThrough(placed, 'line s0'),
    ...placed.map((point) => markerAt(point, 0)),
    textAt([left + cell.right + 8, newest[1] + 4], figure(points.at(-1)?.[1] ?? 0)),
  ];
}

function part(value: number, low: number, high: number): number {
  return high === low ? 0.5 : (value - low) / (high - low);
}

function figure(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function shorten(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

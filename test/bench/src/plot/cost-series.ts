import type { Row } from '../row.ts';

/** What one operation costs at each size of the log, in milliseconds. */
export interface CostSeries {
  readonly name: string;
  /** By size, ascending. */
  readonly points: readonly (readonly [size: number, ms: number])[];
  /** Of the line through them on a log-log plot: 0 for a cost that stays, 1 for one that grows as the log does. */
  readonly slope: number;
}

const msOf: Readonly<Record<string, number>> = { s: 1_000, ms: 1, us: 1 / 1_000, µs: 1 / 1_000, ns: 1e-6 };

/** Of the rows that were taken at a size; a rate is turned into the time of one. Others have no place in the plot. */
export function costSeries(rows: readonly Row[]): CostSeries[] {
  const byName = Map.groupBy(
    rows.filter(({ size }) => size !== undefined),
    ({ name }) => name,
  );
  return [...byName].flatMap(([name, its]) => {
    const points = its
      .flatMap((row): [number, number][] => {
        const ms = costOf(row);
        return ms === undefined || row.size === undefined ? [] : [[row.size, ms]];
      })
      .toSorted(([a], [b]) => a - b);
    return points.length === 0 ? [] : [{ name, points, slope: slopeOf(points) }];
  });
}

function costOf({ ours, unit }: Row): number | undefined {
  // As in `us a record`.
  const factor = msOf[unit.split(/[ /]/)[0] ?? ''];
  const ms = unit.endsWith('/s') ? 1_000 / ours : factor === undefined ? undefined : ours * factor;
  return ms !== undefined && Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** By least squares on the logarithms. */
function slopeOf(points: CostSeries['points']): number {
  const logs = points.map(([size, ms]) => [Math.log(size), Math.log(ms)] as const);
  const [meanX, meanY] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  const run = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const rise = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return run === 0 ? Number.NaN : rise / run;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** In the unit that it is easiest to read in, to two digits. */
export function timeText(ms: number): string {
  const [value, unit] = ms >= 1_000 ? [ms / 1_000, 's'] : ms >= 1 ? [ms, 'ms'] : [ms * 1_000, 'µs'];
  return `${Number(value.toPrecision(2)).toLocaleString('en', { useGrouping: false, maximumFractionDigits: 6 })} ${unit}`;
}

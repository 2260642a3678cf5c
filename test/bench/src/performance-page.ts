import { budgets } from './budgets.ts';
import { machineLine } from './machine.ts';
import { costSeries, timeText } from './plot/cost-series.ts';
import { markdownTable, renderRows } from './report.ts';
import type { Result } from './result.ts';
import type { Row } from './row.ts';

/** The committed results by the names of their files, without `.json`. */
export type Results = Readonly<Record<string, Result>>;

/**
 * The page with the tables of these results in their places. A place is what stands between `<!-- begin NAME -->` and
 * `<!-- end -->`: `budgets` has what was asked for, `slopes` how costs grow, and the name of a result all its rows.
 *
 * Errors  where a place names nothing that there is.
 */
export function withTables(page: string, results: Results): string {
  return page.replaceAll(
    /<!-- begin ([\w-]+) -->\n[^]*?<!-- end -->/g,
    (_, name: string) => `<!-- begin ${name} -->\n\n${tableOf(name, results)}\n<!-- end -->`,
  );
}

function tableOf(name: string, results: Results): string {
  if (name === 'budgets') return budgetTables(Object.values(results).flatMap(({ rows }) => rows));
  if (name === 'slopes') return slopeTable(Object.values(results).flatMap(({ rows }) => rows));
  const result = results[name];
  if (!result) throw new Error(`there is no result ${name}`);
  return `${machineLine(result.machine)}; ${result.at.slice(0, 10)}.\n\n${renderRows(result.rows)}`;
}

/** What nobody has measured is left out: the page says so in its own words. */
function budgetTables(rows: readonly Row[]): string {
  const measured = rows.filter(({ size, target }) => size === undefined && target !== undefined);
  return budgets
    .map(({ what, of }) => ({ what, its: measured.filter(of) }))
    .filter(({ its }) => its.length > 0)
    .map(({ what, its }) => `**${what}**\n\n${renderRows(its)}`)
    .join('\n');
}

function slopeTable(rows: readonly Row[]): string {
  const series = costSeries(rows);
  const sizes = [...new Set(series.flatMap(({ points }) => points.map(([size]) => size)))].toSorted(
    (a, b) => a - b,
  );
  const cells = series.map(({ name, points, slope }) => [
    name,
    ...sizes.map((size) => {
      const point = points.find(([at]) => at === size);
      return point === undefined ? '' : timeText(point[1]);
    }),
    Number.isNaN(slope) ? '' : slope.toFixed(2),
  ]);
  return markdownTable([
    ['one operation', ...sizes.map((size) => size.toLocaleString('en')), 'slope'],
    ...cells,
  ]);
}

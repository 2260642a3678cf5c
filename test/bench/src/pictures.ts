import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { machineLine } from './machine.ts';
import { drawCost } from './plot/draw-cost.ts';
import { drawTrend } from './plot/draw-trend.ts';
import { type Result, readResult } from './result.ts';

/** Draw what operations cost at each size, from the rows of the results in these files, as an SVG file. */
export async function writeCost(paths: readonly string[], svg: string): Promise<void> {
  await writeFile(svg, pictureOfCost(await readAll(paths)));
}

/** The machine and the day under the title are those of the newest. */
export function pictureOfCost(results: readonly Result[]): string {
  const [newest] = results.toSorted((a, b) => b.at.localeCompare(a.at));
  const subtitle = newest ? `${machineLine(newest.machine)}; ${newest.at.slice(0, 10)}` : '';
  return drawCost(
    results.flatMap(({ rows }) => rows),
    subtitle,
  );
}

/** Draw how the rows of these results went over time, as an SVG file. */
export async function writeTrend(paths: readonly string[], svg: string): Promise<void> {
  await writeFile(svg, drawTrend(await readAll(paths)));
}

/** Of a directory, all its JSON files. */
async function readAll(paths: readonly string[]) {
  const files: string[] = [];
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) files.push(path);
    else
      files.push(
        ...(await readdir(path)).filter((name) => name.endsWith('.json')).map((name) => join(path, name)),
      );
  }
  return Promise.all(files.map(readResult));
}

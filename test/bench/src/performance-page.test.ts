import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { withTables } from './performance-page.ts';
import { pictureOfCost } from './pictures.ts';
import { readResult } from './result.ts';
import { rowOf } from './row.ts';

const docs = resolve(import.meta.dirname, '../../../docs');

async function committedResults() {
  const files = (await readdir(resolve(docs, 'performance'))).filter((name) => name.endsWith('.json'));
  const entries = files.map(async (file) => [
    file.replace('.json', ''),
    await readResult(resolve(docs, 'performance', file)),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Parameters<typeof withTables>[1];
}

test('the tables of docs/performance.md are those of the committed results', async () => {
  const page = resolve(docs, 'performance.md');
  const text = withTables(await readFile(page, 'utf8'), await committedResults());
  await expect(text).toMatchFileSnapshot(page);
});

test('the plot of docs/performance.md is that of the committed results', async () => {
  const { size } = await committedResults();
  if (!size) return;
  await expect(pictureOfCost([size])).toMatchFileSnapshot(resolve(docs, 'performance/cost.svg'));
});

const machine = { cpu: 'any', cores: 2, memoryGiB: 1, system: 'any', node: '24' };
const rows = [
  rowOf({ name: 'export', unit: 'records/s', target: { of: 'ours', atLeast: 50_000 } }, [{ ours: 60_000 }]),
  rowOf({ name: 'first page', unit: 'ms', size: 1_000 }, [{ ours: 2 }]),
  rowOf({ name: 'first page', unit: 'ms', size: 100_000 }, [{ ours: 4 }]),
];
const results = { some: { machine, at: '2026-11-21T00:00:00Z', rows } };

test('tables are put in their places, again and again, and nothing else of the page is changed', () => {
  const page =
    '# A\n\n<!-- begin budgets -->\nold\n<!-- end -->\n\nB\n\n<!-- begin slopes -->\n<!-- end -->\n';
  const written = withTables(page, results);
  expect(written).toContain('| export | 60,000 records/s |  |  | >= 50000 records/s | yes |  |');
  expect(written).toContain('| one operation | 1,000 | 100,000 | slope |');
  expect(written).toContain('| first page | 2 ms | 4 ms | 0.15 |');
  expect(written).not.toContain('old');
  expect(written).toMatch(/^# A\n[^]*\n\nB\n/);
  expect(withTables(written, results)).toBe(written);
});

test('a place for a result that is not there is refused', () => {
  expect(() => withTables('<!-- begin other -->\n<!-- end -->', results)).toThrow(/other/);
});

import { afterAll, expect, test } from 'vitest';
import { type Notice, noticeOf } from './audit.ts';
import type { TamperCase } from './column-cases.ts';
import { expectedOf, nameOf, wordsOf } from './expected.ts';
import type { History } from './history.ts';
import { readUncovered, type Uncovered } from './page.ts';
import type { IntegrityTable } from './undo.ts';

/** Who notices that no verification is. */
const outside = ['nobody', 'receipts', 'proof'];

/**
 * One test for each case: it is noticed as expected, or docs/integrity.md lists it. And one for the list: everything
 * on it, about these tables, is so.
 */
export function testCases(
  history: History,
  cases: readonly TamperCase[],
  tables: readonly IntegrityTable[],
): void {
  afterAll(() => history.close());
  const uncovered = readUncovered().filter(({ place }) => tables.some((table) => table === tableOf(place)));
  const shown = new Set<string>();

  test.each(cases.map((each) => [nameOf(each), each] as const))('%s', async (name, each) => {
    const notice = await tamper(history, each);
    const words = wordsOf(notice);
    expect(expectedOf(each), notice?.said).toEqual(expect.arrayContaining(words));
    const [word = ''] = words;
    if (!outside.includes(word)) return;
    const listed = uncovered.find((line) => covers(line, each));
    expect(listed?.noticedBy, `${name}: docs/integrity.md does not list it`).toBe(word);
    for (const row of listed?.rows ?? []) if (isOf(row, each)) shown.add(`${listed?.place} ${row}`);
  });

  test('all that docs/integrity.md lists as not reported is so, and has a reason', () => {
    const listed = uncovered.flatMap(({ place, rows }) => rows.map((row) => `${place} ${row}`));
    expect([...shown].toSorted()).toEqual(listed.toSorted());
    for (const { why } of uncovered) expect(why).not.toBe('');
  });
}

async function tamper(history: History, { statement }: TamperCase): Promise<Notice | undefined> {
  try {
    const { rowCount } = await history.admin.query(statement);
    expect(rowCount).toBeGreaterThan(0);
    return await noticeOf(history);
  } finally {
    await history.undo();
  }
}

function tableOf(place: string): string {
  return place.split('.')[0] ?? '';
}

function covers({ place, rows }: Uncovered, each: TamperCase): boolean {
  const { table, column } = each;
  return (
    place === (column === undefined ? table : `${table}.${column}`) && rows.some((row) => isOf(row, each))
  );
}

function isOf(listed: string, { column, row, change }: TamperCase): boolean {
  return listed === (column === undefined ? `${row}, ${change}` : row);
}

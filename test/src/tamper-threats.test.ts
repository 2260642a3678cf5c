import { afterAll, afterEach, expect, test } from 'vitest';
import { openHistory } from './tamper/history.ts';
import { readOtherTables, readThreats } from './tamper/page.ts';
import { threatsBeyond } from './tamper/threats-beyond.ts';
import { threatsToLogs } from './tamper/threats-to-logs.ts';
import { threatsToRecords } from './tamper/threats-to-records.ts';
import { integrityTables } from './tamper/undo.ts';

/** Every line of the table of threats in docs/integrity.md, done. */
const scenarios = { ...threatsToRecords, ...threatsToLogs, ...threatsBeyond };
const threats = readThreats();
const history = await openHistory();
afterEach(() => history.undo());
afterAll(() => history.close());

test.each(threats)('$name: $detected', async ({ name }) => {
  const scenario = scenarios[name] ?? expect.fail('nobody has tried this');
  await scenario(history);
});

test('the page lists every threat that is tried here', () => {
  expect(Object.keys(scenarios).toSorted()).toEqual(threats.map(({ name }) => name).toSorted());
});

test('every table is tampered with, or is listed by the page as not covered', async () => {
  const { rows } = await history.admin.query<{ name: string }>(
    `select c.relname as name from pg_class c
      where c.relnamespace = 'annals'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname <> 'migration'`,
  );
  const known = [...integrityTables, ...readOtherTables()];
  expect(rows.map(({ name }) => name).toSorted()).toEqual(known.toSorted());
});

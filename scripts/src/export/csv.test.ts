import { text } from 'node:stream/consumers';
import type { Activity } from '@annals/contract';
import { expect, test } from 'vitest';
import { createCsvStream, csvColumns, csvRow } from './csv.ts';

const activity: Activity = {
  id: '01a3bd2c-8800-7000-8000-000000000001',
  tenantId: 't1',
  action: 'invoice.voided',
  kind: 'activity',
  severity: 'info',
  outcome: 'success',
  visibility: 'internal',
  occurredAt: new Date('2026-03-01T10:00:00.000Z'),
  recordedAt: new Date('2026-03-01T10:00:01.000Z'),
  actor: { type: 'user', id: 'u1', label: '=HYPERLINK("http://evil","Ann")' },
  tags: ['a', 'b'],
  metadata: { plan: 'pro', note: 'x;=1' },
};

test('a row has a cell for every column, empty where the record has nothing', () => {
  const row = csvRow(activity);
  expect(row).toHaveLength(Object.keys(csvColumns).length);
  const cells = Object.fromEntries(Object.keys(csvColumns).map((name, index) => [name, row[index]]));
  expect(cells).toMatchObject({
    occurredAt: '2026-03-01T10:00:00.000Z',
    actorLabel: `'=HYPERLINK("http://evil","Ann")`,
    tags: 'a b',
    metadata: `{"plan":"pro","note":"x;'=1"}`,
    targetId: '',
    details: '',
  });
});

test('the text has a heading, quotes around its cells and CR LF after each line', async () => {
  const csv = createCsvStream();
  csv.write(csvRow({ ...activity, message: 'two "lines"\nof text' }));
  csv.end();
  const [heading = '', line = ''] = (await text(csv)).split('\r\n');
  expect(heading).toMatch(/^"id","occurredAt",/);
  expect(line).toContain(`"'=HYPERLINK(""http://evil"",""Ann"")"`);
  expect(line).toContain('"two ""lines""\nof text"');
});

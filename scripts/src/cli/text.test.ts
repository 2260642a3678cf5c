import { expect, test } from 'vitest';
import { bar, formatDuration, formatTime, table, visible } from './text.ts';

test('what a terminal would obey is shown instead', () => {
  expect(visible('a\u{1b}[31mred\u{7}\r\n\u{202e}x')).toBe('a\\u{1b}[31mred\\u{7}\\u{d}\\u{a}\\u{202e}x');
  expect(visible('Zoë 日本 👩‍💻')).toBe('Zoë 日本 👩‍💻');
});

test('columns are as wide as their widest cell', () => {
  const rows = [
    { name: 'a', count: 5 },
    { name: 'longer', count: 1_000 },
  ];
  const columns = [
    { title: 'name', cell: (row: (typeof rows)[number]) => (row.name === 'a' ? undefined : row.name) },
    { title: 'count', align: 'right' as const, cell: (row: (typeof rows)[number]) => String(row.count) },
  ];
  expect(table(rows, columns)).toBe(['name    count', '-           5', 'longer   1000'].join('\n'));
});

test('times are absolute, with the offset of their zone at that time', () => {
  const winter = new Date('2026-01-31T12:00:00.001Z');
  const summer = new Date('2026-07-31T22:30:00.000Z');
  expect(formatTime(winter, 'Europe/Berlin')).toBe('2026-01-31 13:00:00.001 +01:00');
  expect(formatTime(summer, 'Europe/Berlin')).toBe('2026-08-01 00:30:00.000 +02:00');
  expect(formatTime(summer, 'UTC')).toBe('2026-07-31 22:30:00.000 +00:00');
  expect(formatTime(summer, 'America/St_Johns')).toBe('2026-07-31 20:00:00.000 -02:30');
});

test('durations and bars', () => {
  expect([0.4, 59, 60, 3_599, 7_500].map(formatDuration)).toEqual([
    '0 s',
    '59 s',
    '1 min 0 s',
    '59 min 59 s',
    '2 h 5 min',
  ]);
  expect(bar(1, 2, 4)).toBe('██');
  expect(bar(0, 0, 4)).toBe('');
  expect(bar(1, 16, 4)).toBe('▎');
});

import { expect, test } from 'vitest';
import { createProgress, createRate, progressText } from './progress.ts';
import type { Terminal } from './terminal.ts';

function record(options: Partial<Terminal> = {}) {
  const told: unknown[] = [];
  const terminal: Terminal = {
    mode: 'human',
    interactive: false,
    animated: false,
    quiet: false,
    result: () => {},
    note: (text) => void told.push(text),
    event: (event) => void told.push(event),
    style: (_, text) => text,
    ...options,
  };
  const stderr = {
    columns: 60,
    write: (text: string) => void told.push(text),
  } as unknown as NodeJS.WriteStream;
  let nowMs = 0;
  const progress = createProgress(terminal, {
    label: 'anonymize',
    unit: 'activities',
    stderr,
    nowMs: () => nowMs,
  });
  const at = (seconds: number, done: number, total?: number) => {
    nowMs = seconds * 1_000;
    progress.update({ done, total });
  };
  return { told, at, end: () => progress.end() };
}

test('without a terminal there is a line every ten seconds, with rate and time left', () => {
  const { told, at } = record();
  for (let second = 0; second <= 20; second += 1) at(second, second * 100, 10_000);
  expect(told).toEqual([
    'anonymize: 1,000 of 10,000 activities, 100/s, 1 min 30 s left',
    'anonymize: 2,000 of 10,000 activities, 100/s, 1 min 20 s left',
  ]);
});

test('programs get events of numbers', () => {
  const { told, at } = record({ mode: 'json' });
  at(0, 0, 10);
  at(0.5, 5, 10);
  at(1, 5, 10);
  expect(told).toEqual([
    { event: 'progress', label: 'anonymize', done: 0, total: 10 },
    expect.objectContaining({ event: 'progress', label: 'anonymize', done: 5, total: 10 }),
  ]);
});

test('on a terminal one line is drawn again and again, within its width, and cleared at the end', () => {
  const { told, at, end } = record({ animated: true });
  at(0, 0, 1_000);
  at(1, 500, 1_000);
  end();
  expect(told.at(-1)).toBe('\r\u{1b}[K');
  for (const line of told) {
    expect(String(line).startsWith('\r\u{1b}[K')).toBe(true);
    expect(String(line).length - 4).toBeLessThan(60);
  }
  expect(told[1]).toContain('500 of 1,000 activities, 500/s, 1 s left');
});

test('nothing is told when quiet, nor drawn when there was nothing to draw', () => {
  const { told, at, end } = record({ quiet: true, animated: true });
  at(0, 0, 10);
  at(60, 10, 10);
  end();
  expect(told).toEqual([]);
});

test('the rate follows a change within some half-lives, and a standstill tells no time left', () => {
  const rate = createRate({ halfLifeMs: 1_000 });
  expect(rate.update(0, 0)).toBeUndefined();
  expect(rate.update(100, 1_000)).toBe(100);
  expect(rate.update(100, 2_000)).toBe(50);
  expect(rate.update(100, 2_000)).toBe(50);
  expect(progressText({ done: 5, total: 10 }, 0, 'lines')).toBe('5 of 10 lines, 0/s');
  expect(progressText({ done: 5 }, 2, 'lines')).toBe('5 lines, 2/s');
});

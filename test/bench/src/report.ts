import { type Machine, machineLine } from './machine.ts';
import type { Row, Target } from './row.ts';

/** The table that is printed. */
export function renderTable(rows: readonly Row[], machine: Machine): string {
  return `${machineLine(machine)}\n\n${renderRows(rows)}`;
}

/** The same as it stands in docs/performance.md. */
export function renderRows(rows: readonly Row[]): string {
  const lines = rows
    .filter(({ detail }) => !detail)
    .map((row) => [
      sized(row),
      figure(row.ours, row.unit),
      row.reference === undefined ? '' : `${figure(row.reference, row.unit)} (${row.referenceName})`,
      typeof row.ratio !== 'number' ? '' : row.ratio.toFixed(2),
      row.target ? targetText(row.target, row.unit) : '',
      row.met === undefined ? '' : row.met ? 'yes' : 'NO',
      spread(row),
    ]);
  const head = ['what', 'ours', 'reference', 'ratio', 'target', 'met', 'rounds'];
  return markdownTable([head, ...lines]);
}

/** The first row is the head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...rest] = rows;
  const lines = [head, head.map(() => '---'), ...rest];
  return `${lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')}\n`;
}

function sized({ name, size }: Row): string {
  return size === undefined ? name : `${name}, ${size.toLocaleString('en')} in the log`;
}

/** JSON has null for what is no number. */
function figure(value: number | null, unit: string): string {
  if (value === null || !Number.isFinite(value)) return 'none';
  const digits = value >= 1_000 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`;
}

function targetText({ of, atLeast, atMost }: Target, unit: string): string {
  const bound = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
  return of === 'ratio' ? `ratio ${bound}` : `${bound} ${unit}`;
}

/** The least and the greatest of the rounds. */
function spread({ rounds, unit }: Row): string {
  const values = rounds.map(({ ours }) => ours);
  return rounds.length < 2
    ? ''
    : `${figure(Math.min(...values), unit)} .. ${figure(Math.max(...values), unit)}`;
}

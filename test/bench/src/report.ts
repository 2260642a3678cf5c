import { type Machine, machineLine } from './machine.ts';
import type { Row, Target } from './row.ts';

/** The table that is printed, and pasted into docs/performance.md. */
export function renderTable(rows: readonly Row[], machine: Machine): string {
  const lines = rows
    .filter(({ detail }) => !detail)
    .map((row) => [
      row.name,
      figure(row.ours, row.unit),
      row.reference === undefined ? '' : `${figure(row.reference, row.unit)} (${row.referenceName})`,
      row.ratio === undefined ? '' : row.ratio.toFixed(2),
      row.target ? targetText(row.target, row.unit) : '',
      row.met === undefined ? '' : row.met ? 'yes' : 'NO',
      spread(row),
    ]);
  const head = ['what', 'ours', 'reference', 'ratio', 'target', 'met', 'rounds'];
  const table = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
  return `${machineLine(machine)}\n\n${table.join('\n')}\n`;
}

function figure(value: number, unit: string): string {
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

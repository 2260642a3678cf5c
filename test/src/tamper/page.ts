import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/integrity.md'), 'utf8');

/** The rows of the first table below a heading of docs/integrity.md, cell by cell. */
function tableBelow(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const last = lines.findIndex((line, at) => at > first && !line.startsWith('|'));
  // Below the names of the columns stands a line of dashes.
  const rows = first < 0 ? [] : lines.slice(first + 2, last < 0 ? undefined : last);
  if (rows.length === 0) throw new Error(`docs/integrity.md has no table below "${heading}"`);
  return rows.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** What docs/integrity.md says of a threat. */
export interface Threat {
  readonly name: string;
  readonly detected: string;
  readonly by: string;
}

export function readThreats(): Threat[] {
  return tableBelow('What is detected').map(([name = '', detected = '', by = '']) => ({
    name,
    detected,
    by,
  }));
}

/** A change of the database that verification does not report, and why that does no harm. */
export interface Uncovered {
  /** A table, or a column as `batch.root`. */
  readonly place: string;
  /** Of a column: in which kinds of rows; of a table: what is done to it. */
  readonly rows: readonly string[];
  readonly noticedBy: string;
  readonly why: string;
}

export function readUncovered(): Uncovered[] {
  return tableBelow('Changes that verification does not report').map(
    ([place = '', rows = '', noticedBy = '', why = '']) => ({
      place: place.replaceAll('`', ''),
      rows: rows.split(';').map((row) => row.trim()),
      noticedBy,
      why,
    }),
  );
}

/** Tables that the page says are not covered at all. */
export function readOtherTables(): string[] {
  const line = page.split('\n').find((text) => text.startsWith('Not covered by the tree at all')) ?? '';
  return Array.from(line.matchAll(/`([a-z_]+)`/g), ([, name = '']) => name);
}

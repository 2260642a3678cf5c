/** A text of a record as a terminal may show it: control and direction characters visible, not obeyed. */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly cell: (row: Row) => string | undefined;
}

/** Rows in aligned columns under their titles; a dash where there is no value. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  return growingTable(columns)(rows);
}

/** As `table`, for rows that come bit by bit: titles stand above the first, and columns only become wider. */
export function growingTable<Row>(columns: readonly Column<Row>[]): (rows: readonly Row[]) => string {
  const widths = columns.map(() => 0);
  let titles = [columns.map(({ title }) => title)];
  return (rows) => {
    const lines = [...titles, ...rows.map((row) => columns.map(({ cell }) => visible(cell(row) ?? '-')))];
    titles = [];
    for (const cells of lines) {
      for (const [index, cell] of cells.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
    }
    return lines.map((cells) => alignedLine(cells, columns, widths)).join('\n');
  };
}

function alignedLine(
  cells: readonly string[],
  columns: readonly Pick<Column<never>, 'align'>[],
  widths: readonly number[],
): string {
  const aligned = cells.map((cell, index) => {
    const gap = ' '.repeat((widths[index] ?? 0) - width(cell));
    return columns[index]?.align === 'right' ? gap + cell : cell + gap;
  });
  return aligned.join('  ').trimEnd();
}

/** A bar of `width` characters for a part of a whole, in eighths of one. */
export function bar(part: number, whole: number, width: number): string {
  const eighths = whole > 0 ? Math.round((part / whole) * width * 8) : 0;
  const rest = eighths % 8;
  return '█'.repeat(Math.floor(eighths / 8)) + (rest > 0 ? (' ▏▎▍▌▋▊▉'[rest] ?? '') : '');
}

const numbers = new Intl.NumberFormat('en');

export function count(value: number, one: string, many = `${one}s`): string {
  return `${numbers.format(value)} ${value === 1 ? one : many}`;
}

export function number(value: number): string {
  return numbers.format(value);
}

/** An absolute time with its offset, as `2026-01-31 13:00:00.000 +01:00`, in the zone given or the process's. */
export function formatTime(date: Date, timeZone?: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  }).formatToParts(date);
  const part = (type: string) => parts.find((candidate) => candidate.type === type)?.value ?? '';
  const offset = part('timeZoneName').replace('GMT', '') || '+00:00';
  const clock = `${part('hour')}:${part('minute')}:${part('second')}.${part('fractionalSecond')}`;
  return `${part('year')}-${part('month')}-${part('day')} ${clock} ${offset}`;
}

/** As `2 h 5 min`, `40 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

// Cells of the terminal, near enough without a table of wide characters.
const characters = new Intl.Segmenter();

function width(text: string): number {
  return Array.from(characters.segment(text)).length;
}

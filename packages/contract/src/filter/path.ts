import { QuerySyntaxError, readQuoted } from './scan.ts';

/** A path read from a text, and the offset after it. */
export interface PathReading {
  readonly path: string[];
  readonly end: number;
}

const bareSegment = /^[^\s".:]+$/;

/**
 * Read a path, `plan.name` or `"odd key".y`, from `start` to the first character that cannot belong to it.
 *
 * Throws QuerySyntaxError where a segment is missing or a quoted one does not end.
 */
export function readPath(source: string, start: number): PathReading {
  const path: string[] = [];
  for (let at = start; ; at += 1) {
    const segment = source[at] === '"' ? readQuoted(source, at) : readBareSegment(source, at);
    path.push(segment.value);
    at = segment.end;
    if (source[at] !== '.') return { path, end: at };
  }
}

/** The path that a whole text is. */
export function parsePath(source: string): string[] {
  const { path, end } = readPath(source, 0);
  if (end === source.length) return path;
  throw new QuerySyntaxError(
    end,
    'expected "." or the end of the path; put a key with other characters in double quotes',
  );
}

/** The text that `parsePath` reads as this path. */
export function formatPath(path: readonly string[]): string {
  return path.map((segment) => (bareSegment.test(segment) ? segment : quote(segment))).join('.');
}

/** In double quotes, with `"` and `\` escaped. */
export function quote(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function readBareSegment(source: string, start: number): { value: string; end: number } {
  let end = start;
  while (end < source.length && isSegmentCharacter(source[end])) end += 1;
  if (end === start) throw new QuerySyntaxError(start, 'expected a key of the path');
  return { value: source.slice(start, end), end };
}

function isSegmentCharacter(character: string | undefined): boolean {
  return character !== undefined && bareSegment.test(character);
}

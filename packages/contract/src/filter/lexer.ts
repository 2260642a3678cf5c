import { type PathRoot, pathRoots } from './fields.ts';
import { readPath } from './path.ts';
import { isBlank, QuerySyntaxError, readQuoted } from './scan.ts';

/** A piece of text with the offsets where it starts and where the rest begins. */
interface Piece {
  readonly value: string;
  readonly position: number;
  readonly end: number;
  readonly quoted: boolean;
}

/** `word`, `"some words"` or, with a key, `key:value`. */
export interface Term {
  /** Where the word or key starts, after the minus of a negated term. */
  readonly position: number;
  readonly negated: boolean;
  readonly key?: TermKey;
  readonly value: Piece;
}

/** A key as it is written, and what it consists of when it is a path. */
export interface TermKey {
  readonly name: string;
  readonly path?: { readonly root: PathRoot; readonly keys: string[] };
}

/**
 * Split a query into its terms, which blanks separate. Keys are not looked up here.
 *
 * Reads every character a bounded number of times. Throws QuerySyntaxError.
 */
export function readTerms(source: string): Term[] {
  const terms: Term[] = [];
  for (let at = skipBlanks(source, 0); at < source.length; ) {
    const term = readTerm(source, at);
    terms.push(term);
    const { end } = term.value;
    if (end < source.length && !isBlank(source.charAt(end))) {
      throw new QuerySyntaxError(
        end,
        'expected a space; a text in double quotes stands alone or right after key:',
      );
    }
    at = skipBlanks(source, end);
  }
  return terms;
}

function readTerm(source: string, start: number): Term {
  const negated = source[start] === '-';
  const position = negated ? start + 1 : start;
  if (negated && (isEnd(source, position) || source[position] === '-')) {
    throw new QuerySyntaxError(
      position,
      'expected a word, a text in double quotes or key:value after the minus',
    );
  }
  const key = readKey(source, position);
  if (key === undefined) return { position, negated, value: readText(source, position) };
  if (isEnd(source, key.end))
    throw new QuerySyntaxError(key.end, `expected a value right after ${key.name}:`);
  const value = key.name === 'has' ? readPathText(source, key.end) : readText(source, key.end);
  return { position, negated, key, value };
}

/** The key that starts here, with the offset after its colon; undefined where a text starts. */
function readKey(source: string, start: number): (TermKey & { end: number }) | undefined {
  const end = skipUntil(source, start, ':');
  const name = source.slice(start, end);
  const root = pathRoots.find((each) => name.startsWith(`${each}.`));
  if (root === undefined || isEnd(source, end)) {
    return source[end] === ':' ? { name, end: end + 1 } : undefined;
  }
  const { path: keys, end: pathEnd } = readPath(source, start + root.length + 1);
  if (source[pathEnd] !== ':')
    throw new QuerySyntaxError(pathEnd, 'expected a dot or a colon after a key of the path');
  return { name: source.slice(start, pathEnd), path: { root, keys }, end: pathEnd + 1 };
}

/** A text in double quotes, or everything up to a blank or a quote. */
function readText(source: string, position: number): Piece {
  if (source[position] === '"') return { ...readQuoted(source, position), position, quoted: true };
  const end = skipUntil(source, position, '');
  return { value: source.slice(position, end), position, end, quoted: false };
}

/** A path as it is written, quotes included; a text in double quotes alone is read as any other. */
function readPathText(source: string, position: number): Piece {
  if (source[position] === '"') return readText(source, position);
  const { end } = readPath(source, position);
  return { value: source.slice(position, end), position, end, quoted: false };
}

function skipBlanks(source: string, start: number): number {
  let at = start;
  while (at < source.length && isBlank(source.charAt(at))) at += 1;
  return at;
}

/** The offset of the first blank, quote or `stop` character, or of the end. */
function skipUntil(source: string, start: number, stop: string): number {
  let at = start;
  while (!isEnd(source, at) && source[at] !== '"' && source[at] !== stop) at += 1;
  return at;
}

function isEnd(source: string, at: number): boolean {
  return at >= source.length || isBlank(source.charAt(at));
}

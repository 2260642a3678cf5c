import type { Choice } from './change-value.ts';

type Spelling = readonly [what: string, change: (line: string, at: number) => string];

/** A number as a member, a member, and a letter within a text. */
const number = /:\d+(?=[,}])/g;
const member = /"\w+":("[^"]*"|\d+|true|false)/g;
const letter = /(?<=[a-z])e(?=[a-z])/g;

const spellings: readonly Spelling[] = [
  ['a member twice', (line, at) => changeNth(line, member, { at, to: (all) => `${all},${all}` })],
  ['a fraction', (line, at) => changeNth(line, number, { at, to: (all) => `${all}.0` })],
  ['an exponent', (line, at) => changeNth(line, number, { at, to: (all) => `${all}e0` })],
  ['minus zero', (line, at) => changeNth(line, /:0(?=[,}])/g, { at, to: () => ':-0' })],
  ['a blank', (line, at) => changeNth(line, /[,:]/g, { at, to: (all) => `${all} ` })],
  ['a blank before a colon', (line, at) => changeNth(line, /(?<="):/g, { at, to: () => ' :' })],
  ['an escape', (line, at) => changeNth(line, letter, { at, to: () => '\\u0065' })],
  ['a large number', (line, at) => changeNth(line, number, { at, to: () => `:${'9'.repeat(400)}` })],
  ['NaN', (line, at) => changeNth(line, number, { at, to: () => ':NaN' })],
  ['many levels', (line, at) => changeNth(line, number, { at, to: () => `:${nested(5_000)}` })],
  ['150 levels', (line, at) => changeNth(line, number, { at, to: () => `:${nested(150)}` })],
  ['a carriage return', (line) => `${line}\r`],
  ['a byte order mark', (line) => `\ufeff${line}`],
  ['another byte', (line, at) => `${line.slice(0, at % line.length)}~${line.slice((at % line.length) + 1)}`],
  ['broken in two', (line, at) => `${line.slice(0, at % line.length)}\n${line.slice(at % line.length)}`],
  ['an empty line behind', (line) => `${line}\n`],
];

/** Change how one line of a text is spelled, or cut the text off in it; returns the text and what was done. */
export function changeText(text: string, line: number, { how, place }: Choice): [text: string, what: string] {
  const lines = text.split('\n');
  const old = lines[line] ?? '';
  const [what, change] = spellings[how % (spellings.length + 1)] ?? [];
  if (!change) {
    const end = lines.slice(0, line).join('\n').length + (place % Math.max(1, old.length));
    return [text.slice(0, end), `cut off at ${end}`];
  }
  lines[line] = change(old, place);
  return [lines.join('\n'), `${what} in line ${line + 1}, ${old.slice(0, 30)}`];
}

interface Nth {
  readonly at: number;
  readonly to: (all: string) => string;
}

/** Change one match of a pattern; where there is none, the line gets a blank more. */
function changeNth(line: string, pattern: RegExp, { at, to }: Nth): string {
  const matches = [...line.matchAll(pattern)];
  const match = matches[at % Math.max(1, matches.length)];
  if (!match) return `${line} `;
  const end = match.index + match[0].length;
  return `${line.slice(0, match.index)}${to(match[0])}${line.slice(end)}`;
}

function nested(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`;
}

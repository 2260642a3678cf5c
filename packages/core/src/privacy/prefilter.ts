import { type RawBuilder, sql } from 'kysely';
import { fieldColumns } from '../activity/columns.ts';
import { fold } from './text-forms.ts';

/**
 * A regular expression of PostgreSQL that matches every text in which one of the identifiers occurs, and some
 * others. Undefined where only the empty one would do.
 *
 * ASCII letters and digits stand as they are in percent-encoded and escaped text too; what is between them can
 * be encoded. Of an identifier without any, whatever can stand for other letters is looked for.
 */
export function supersetPattern(identifiers: readonly string[]): string | undefined {
  const parts = new Set<string>();
  for (const identifier of identifiers) {
    const folded = fold(identifier);
    const pattern = patternOf(folded, identifiers.length > wholeMax ? longestWord : wholeStretch);
    if (pattern !== undefined) parts.add(pattern);
    else if (/[^\0-\x7f]/.test(folded)) parts.add(beyondAscii);
    else return undefined;
  }
  // Without identifiers nothing occurs: the end before the beginning of a text.
  return parts.size === 0 ? String.raw`\Z.` : [...parts].join('|');
}

/** As it is, percent-encoded as UTF-8 once or again and again, or escaped in JSON text. */
const beyondAscii = String.raw`[^\u0001-\u007f]|%(25)*[89a-fA-F][0-9a-fA-F]|\\u`;

/** The database builds its automaton anew for each text, which takes longer the more there is to look for. */
const wholeMax = 16;

/** Enough to tell it from most texts, and few enough that hundreds make one expression. */
const lettersMax = 24;

/** Of the stretches of ASCII in an identifier the one of which the most letters and digits are looked for. */
function patternOf(folded: string, lettersOf: (stretch: string) => string): string | undefined {
  // A letter with a mark is another letter when they are composed.
  const stretches = folded.match(/(?:[\0-\x7f](?!\p{M}))+/gu) ?? [];
  const [longest = ''] = stretches.map(lettersOf).toSorted((a, b) => b.length - a.length);
  return longest === '' ? undefined : longest.slice(0, lettersMax).trimEnd().replaceAll(/./g, oneOf);
}

/** Its letters and digits, with one space for all that is between two of them. */
function wholeStretch(stretch: string): string {
  return stretch.replaceAll(/[^0-9a-z]+/g, ' ').trim();
}

function longestWord(stretch: string): string {
  return stretch.split(/[^0-9a-z]+/).toSorted((a, b) => b.length - a.length)[0] ?? '';
}

/** What a letter, a digit, or a space for other characters can be: those alone, or escaped in any way. */
function oneOf(character: string): string {
  if (character === ' ') return '([^0-9A-Za-z]+[0-9A-Fa-fnrtu]*)+';
  if (/[0-9]/.test(character)) return character;
  // The Kelvin sign is the only other character that becomes an ASCII letter by composition or in lower case.
  return `[${character}${character.toUpperCase()}${character === 'k' ? '\u212a' : ''}]`;
}

const columns = fieldColumns.filter(({ type }) => type === 'text').map(({ column }) => sql.ref(column));

/** All that is text in a record, as one text; keys and values of its JSON with JSON's escapes. */
export const wholeText: RawBuilder<string> = sql`concat_ws(E'\n', ${sql.join(columns)},
  array_to_string(tags, E'\n'), metadata::text, details::text, array_to_string(erased, E'\n'))`;

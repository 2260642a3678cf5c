import { type RawBuilder, sql } from 'kysely';
import { fieldColumns } from '../activity/columns.ts';
import { fold } from './text-forms.ts';

/**
 * A regular expression of PostgreSQL that matches every text in which one of the identifiers occurs, and some
 * others. Undefined where only the empty one would do.
 *
 * Of each identifier the longest run of ASCII letters and digits is looked for: those stand as they are in
 * percent-encoded and escaped text too. Of one without any, whatever can stand for other letters.
 */
export function supersetPattern(identifiers: readonly string[]): string | undefined {
  const parts = new Set<string>();
  for (const identifier of identifiers) {
    const folded = fold(identifier);
    const anchor = longestAnchor(folded);
    if (anchor !== undefined) parts.add(Array.from(anchor, anyCase).join(''));
    else if (/[^\0-\x7f]/.test(folded)) parts.add(beyondAscii);
    else return undefined;
  }
  // Without identifiers nothing occurs: the end before the beginning of a text.
  return parts.size === 0 ? String.raw`\Z.` : [...parts].join('|');
}

/** As it is, percent-encoded as UTF-8, or escaped in JSON text. */
const beyondAscii = String.raw`[^\u0001-\u007f]|%[89a-fA-F][0-9a-fA-F]|\\u`;

/** Enough to tell it from most texts, and few enough that hundreds make one expression. */
const anchorMax = 16;

/** A letter with a mark is another letter when they are composed, so it anchors nothing. */
function longestAnchor(folded: string): string | undefined {
  const runs = folded.match(/(?:[0-9a-z](?!\p{M}))+/gu) ?? [];
  return runs.toSorted((a, b) => b.length - a.length)[0]?.slice(0, anchorMax);
}

function anyCase(character: string): string {
  if (!/[a-z]/.test(character)) return character;
  // The Kelvin sign is the only other character that becomes an ASCII letter by composition or in lower case.
  return `[${character}${character.toUpperCase()}${character === 'k' ? '\u212a' : ''}]`;
}

const columns = fieldColumns.filter(({ type }) => type === 'text').map(({ column }) => sql.ref(column));

/** All that is text in a record, as one text; keys and values of its JSON with JSON's escapes. */
export const wholeText: RawBuilder<string> = sql`concat_ws(E'\n', ${sql.join(columns)},
  array_to_string(tags, E'\n'), metadata::text, details::text, array_to_string(erased, E'\n'))`;

import { type RawBuilder, sql } from 'kysely';
import type { Person } from './person.ts';
import { supersetPattern, wholeText } from './prefilter.ts';
import { requiredWords } from './required-words.ts';

/** Which records can hold a trace of the person: all that do, and some others. */
export function canConcern({ ids, matcher }: Person): RawBuilder<boolean> {
  const pattern = supersetPattern(matcher.identifiers);
  if (pattern === undefined) return sql`true`;
  // The collation compares bytes, whatever the database's: the pattern says itself which cases are equal.
  return sql`(actor_id = any(${ids}::text[]) or subject_id = any(${ids}::text[]) or target_id = any(${ids}::text[])
    or ${mayName(matcher.identifiers)} ${wholeText} collate "C" ~ ${pattern})`;
}

/** What is cheaper to find out than a regular expression, and false for most records. */
function mayName(identifiers: readonly string[]): RawBuilder<unknown> {
  const words = requiredWords(identifiers);
  if (!words) return sql``;
  return sql`lower(${wholeText} collate "C") like any(${words.map((word) => `%${word}%`)}::text[]) and`;
}

import { AnnalsError } from '../errors.ts';
import { limits } from '../limits.ts';
import { filterFields } from './fields.ts';
import { readTerms, type Term } from './lexer.ts';
import { nearestKey } from './nearest-key.ts';
import { parseMoment, parseSince } from './parse-moment.ts';
import {
  addPathValue,
  addValue,
  createDraft,
  draftedFilter,
  originOf,
  type QueryDraft,
  setSingle,
} from './query-draft.ts';
import { QuerySyntaxError } from './scan.ts';
import { Filter } from './schema.ts';
import { reservedWords, timeKeys } from './words.ts';

const shownKeyLengthMax = 32;

/**
 * Parse a query such as `actor:alice action:invoice.* -outcome:success severity:>=warning since:7d "free text"`.
 *
 * ```ebnf
 * query    = [ term { blank term } ] ;
 * term     = [ "-" ] ( text | field | path | has )             (* "-" negates: none of these *)
 *          | "severity:>=" severity                            (* that and worse *)
 *          | "tag.all:" value                                  (* every one of these tags *)
 *          | ( "from" | "to" | "recorded.from" | "recorded.to" ) ":" moment
 *          | "since:" ( moment | duration ) ;                  (* the same as from *)
 * field    = name ":" value ;                                  (* name: a key of filterFields, or tag *)
 * path     = root keys ":" value ;                             (* metadata.plan:pro *)
 * has      = "has:" ( name | root keys ) ;                     (* there is a value *)
 * root     = "metadata" | "details" ;
 * keys     = "." key { "." key } ;
 * key      = quoted | plain { plain } ;                        (* plain: no blank, quote, dot or colon *)
 * text     = quoted | word ;                                   (* word: no blank, quote or colon, no "-" first *)
 * value    = quoted | bare ;                                   (* bare: no blank or quote *)
 * quoted   = '"' { character | '\"' | '\\' } '"' ;
 * moment   = day | time ;                                      (* 2026-01-31, 2026-01-31T12:00:00Z *)
 * duration = digit { digit } ( "s" | "m" | "h" | "d" | "w" ) ; (* before now *)
 * ```
 *
 * Meaning   all terms must hold. Repeating a key gives alternatives (`actor:a actor:b`: either), repeating a
 *           negated key excludes each. A text is a case-insensitive substring of message, labels, action or
 *           metadata, and every one must occur. `from` is inclusive, `to` exclusive; a day is its midnight in
 *           UTC. An action may end in `.*`, an ip may be a range. `"5"` and `5` are the same value.
 * Quoting   what holds a blank, a quote or, in a text, a colon; AND, OR and NOT are no operators, and are
 *           texts in quotes only.
 * Limits    `queryLengthMax` characters, and those of the filter.
 * Returns   the filter in its canonical form; `formatQuery` writes it as query text again.
 * Errors    `invalid_query` with `position`, the offset of what is wrong, and what was expected there. A word
 *           with a colon after an unknown key is an error, never a text.
 */
export function parseQuery(text: string, { now }: { now: Date }): Filter {
  if (text.length > limits.queryLengthMax) {
    throw new AnnalsError({
      code: 'invalid_query',
      message: `expected at most ${limits.queryLengthMax} characters`,
      limit: limits.queryLengthMax,
      position: limits.queryLengthMax,
    });
  }
  try {
    const draft = createDraft();
    for (const term of readTerms(text)) addTerm(draft, term, now);
    return validated(draft, text);
  } catch (error) {
    if (!(error instanceof QuerySyntaxError)) throw error;
    throw new AnnalsError(
      { code: 'invalid_query', message: error.message, position: error.position },
      { cause: error },
    );
  }
}

function addTerm(draft: QueryDraft, term: Term, now: Date): void {
  const { key, negated, value: piece } = term;
  if (key === undefined) return addText(draft, term);
  const value = piece.value;
  const origin = { key: key.name, position: piece.position };
  const listed = { list: negated ? 'none' : 'any', value, origin } as const;
  if (key.path) return addPathValue(draft, { ...key.path, position: term.position }, listed);
  if (key.name === 'has') return addValue(draft, 'has', { ...listed, list: negated ? 'none' : 'all' });
  if (key.name === 'severity' && value.startsWith('>=')) {
    refuseMinus(term);
    return setSingle(draft, 'severityAtLeast', { value: value.slice(2), origin });
  }
  if (key.name === 'tag' || Object.hasOwn(filterFields, key.name)) return addValue(draft, key.name, listed);
  if (key.name === 'tag.all') {
    refuseMinus(term);
    return addValue(draft, 'tag', { list: 'all', value, origin });
  }
  const part = key.name === 'since' ? 'from' : timeParts.get(key.name);
  if (part === undefined) throw new QuerySyntaxError(term.position, unknownKey(key.name));
  refuseMinus(term);
  const moment =
    key.name === 'since' ? parseSince({ value, ...origin }, now) : parseMoment({ value, ...origin });
  setSingle(draft, part, { value: moment, origin });
}

const timeParts: ReadonlyMap<string, string> = new Map(Object.entries(timeKeys));

function addText(draft: QueryDraft, { negated, position, value: { quoted, value } }: Term): void {
  if (!quoted && reservedWords.includes(value)) {
    throw new QuerySyntaxError(
      position,
      `expected no operator: repeat a key for alternatives, or put "${value}" in double quotes to search for it`,
    );
  }
  addValue(draft, 'text', { list: negated ? 'none' : 'all', value, origin: { key: 'text', position } });
}

function refuseMinus({ key, negated, position }: Term): void {
  if (negated)
    throw new QuerySyntaxError(
      position - 1,
      `expected no minus before ${key?.name}:, which cannot be negated`,
    );
}

function unknownKey(name: string): string {
  const nearest = nearestKey(name);
  const meant = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
  const shown = (
    name.length > shownKeyLengthMax ? `${name.slice(0, shownKeyLengthMax)}...` : name
  ).toWellFormed();
  return `expected a known key before the colon, not "${shown}"${meant}; to search for a text with a colon, put it in double quotes`;
}

/** Check the whole; of what is wrong, the first in the query is told. */
function validated(draft: QueryDraft, text: string): Filter {
  const parsed = Filter.safeParse(draftedFilter(draft));
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues
    .map(({ message, path }) => ({
      message,
      ...(originOf(draft, path) ?? { key: 'query', position: text.length }),
    }))
    .toSorted((a, b) => a.position - b.position);
  throw new QuerySyntaxError(first?.position ?? text.length, `${first?.key}: ${first?.message}`);
}

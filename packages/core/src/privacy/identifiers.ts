import { requiredWords } from './required-words.ts';
import { fold, formsOf } from './text-forms.ts';

/** Finds the identifiers of a person in texts. */
export interface IdentifierMatcher {
  /** The identifiers, as given, that it looks for. */
  readonly identifiers: readonly string[];
  /** Whether any identifier occurs in the text. */
  readonly occursIn: (text: string) => boolean;
  /** The places in `identifiers` of those that occur in the text, in no order. */
  readonly find: (text: string) => Set<number>;
  /** Whether the whole text is one of the identifiers. */
  readonly equals: (text: string) => boolean;
}

/**
 * A matcher of identifiers: names, e-mail addresses, ids, anything that names one person.
 *
 * An identifier occurs in a text where it stands there literally and does not begin or end inside a longer
 * word of letters and digits: "cat" occurs in "cat@x", "user:cat" and "cat's", not in "concatenate". Case,
 * the form of Unicode composition and the length of blanks do not matter; percent-encoded and JSON-escaped
 * text is read as what it stands for. Time grows with the length of the text, not with the identifiers: and only
 * texts with one of the `words` that one of them asks for are read at all.
 */
export function createMatcher(
  identifiers: readonly string[],
  words: readonly string[] | null = requiredWords(identifiers),
): IdentifierMatcher {
  const folded = identifiers.map(fold);
  const whole = new Set(folded);
  const byFirstToken = new Map<string, number[]>();
  for (const [index, identifier] of folded.entries()) {
    if (identifier === '') continue;
    const first = identifier.slice(0, tokenEnd(identifier, 0));
    byFirstToken.set(first, [...(byFirstToken.get(first) ?? []), index]);
  }
  const search = (text: string, onMatch: (index: number) => boolean): void => {
    if (words && !holdsAny(text, words)) return;
    for (const form of formsOf(text)) {
      if (searchForm(fold(form), { folded, byFirstToken, onMatch })) return;
    }
  };
  return {
    identifiers,
    occursIn: (text) => {
      let found = false;
      search(text, () => (found = true));
      return found;
    },
    find: (text) => {
      const found = new Set<number>();
      search(text, (index) => found.add(index) && false);
      return found;
    },
    equals: (text) => whole.has(fold(text)),
  };
}

function holdsAny(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  for (const word of words) if (lower.includes(word)) return true;
  return false;
}

interface Search {
  readonly folded: readonly string[];
  readonly byFirstToken: ReadonlyMap<string, readonly number[]>;
  /** Answers whether to stop. */
  readonly onMatch: (index: number) => boolean;
}

/** A match begins where a word begins or at a character outside words, so only those places are looked at. */
function searchForm(text: string, { folded, byFirstToken, onMatch }: Search): boolean {
  for (let at = 0; at < text.length; ) {
    const end = tokenEnd(text, at);
    for (const index of byFirstToken.get(text.slice(at, end)) ?? []) {
      const identifier = folded[index] ?? '';
      if (!text.startsWith(identifier, at) || isInsideWord(text, at + identifier.length)) continue;
      if (onMatch(index)) return true;
    }
    at = end;
  }
  return false;
}

/** The end of the token at `start`: a whole word, or one character outside words. */
function tokenEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && isWordAt(text, end)) end += widthAt(text, end);
  return end > start ? end : start + widthAt(text, start);
}

/** Whether a word goes on across `at`. */
function isInsideWord(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length || !isWordAt(text, at)) return false;
  const previous = isLowSurrogate(text.charCodeAt(at - 1)) ? at - 2 : at - 1;
  return isWordAt(text, previous);
}

/**
 * Letters, digits and the marks on them, but not the scripts that put no blanks between words: there every
 * character can begin or end a name.
 */
const wordCharacter =
  /[[\p{L}\p{N}\p{M}]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]/v;

function isWordAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0x80) return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
  return wordCharacter.test(String.fromCodePoint(text.codePointAt(at) ?? 0));
}

function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

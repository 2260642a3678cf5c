import { fold } from './text-forms.ts';

/** More take longer to look for than what they spare. */
const wordsMax = 16;

/**
 * Words of which one stands, but for its case, in every text in which any of the identifiers occurs: most texts have
 * none, which is found out in a fraction of the time. Null where an identifier has no such word, or there are too many.
 *
 * ASCII letters and digits stand as they are in percent-encoded and escaped text too (text-forms.ts). But for the k: the
 * Kelvin sign is one as well.
 */
export function requiredWords(identifiers: readonly string[]): readonly string[] | null {
  const words = new Set<string>();
  for (const identifier of identifiers) {
    // A letter with a mark is another letter when they are composed.
    const stretches = fold(identifier).match(/(?:[\0-\x7f](?!\p{M}))+/gu) ?? [];
    const parts = stretches.flatMap((stretch) => stretch.split(/[^0-9a-jl-z]+/));
    const [longest = ''] = parts.toSorted((a, b) => b.length - a.length);
    if (longest === '') return null;
    words.add(longest);
  }
  return words.size > wordsMax ? null : [...words];
}

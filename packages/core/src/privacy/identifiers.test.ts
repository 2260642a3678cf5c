import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMatcher } from './identifiers.ts';
import { fold } from './text-forms.ts';

const occurs = (identifier: string, text: string) => createMatcher([identifier]).occursIn(text);

test.each(['cat', 'cat@x', 'user:cat', "cat's", 'CAT', 'a cat', 'user_cat', '(cat)', 'x/cat/y', '-cat-'])(
  'a word occurs in %j',
  (text) => expect(occurs('cat', text)).toBe(true),
);

test.each(['concatenate', 'cats', 'bobcat', 'cat2', '2cat', 'caté', 'cat\u0301', '', 'ca t'])(
  'a word does not occur in %j',
  (text) => expect(occurs('cat', text)).toBe(false),
);

test.each([
  ['ada@x.com', 'mail ada@x.com now', true],
  ['ada@x.com', 'mada@x.com', false],
  ['ada@x.com', 'ada@x.community', false],
  ['ada@x.com', 'ada@x.com.', true],
  ['ada@x.com', 'adaAx.com', false],
  ['arn:aws:iam::1:user/ada', 'by arn:aws:iam::1:user/ada.', true],
  ['arn:aws:iam::1:user/ada', 'by arn:aws:iam::1:user/adam', false],
  ['@ada', 'bob@ada', true],
  ['+49 170', 'tel+49 170', true],
  ['(.*)', 'anything', false],
  ['(.*)', 'a (.*) b', true],
])('%j in %j: %j', (identifier, text, expected) => expect(occurs(identifier, text)).toBe(expected));

test.each([
  ['José', 'jose\u0301'.toUpperCase()],
  ['jose\u0301', 'JOSÉ'],
  ['ada@x.com', 'https://x/?q=ada%40x.com&y=1'],
  ['ada@x.com', 'https://x/?u=https%3A%2F%2Fy%2F%3Fq%3Dada%2540x.com'],
  ['Ada Lovelace', 'name=Ada+Lovelace'],
  ['Ada Lovelace', 'Ada%20Lovelace'],
  ['Ada Lovelace', 'Ada \n Lovelace'],
  ['ada+tag@x.com', 'to=ada%2Btag%40x.com'],
  ['ada+tag@x.com', 'ada+tag%40x.com'],
  ['José', 'q=Jos%C3%A9'],
  ['José', '{"name":"Jos\\u00e9"}'],
  ['ada@x.com', '{"text":"hello\\nada@x.com"}'],
  ['ada@x.com', JSON.stringify(JSON.stringify({ text: 'hello\nada@x.com' }))],
  ['CORP\\nadia', 'CORP\\nadia logged in'],
  ['CORP\\nadia', '{"user":"CORP\\\\nadia"}'],
  ['user/ada', '{"arn":"user\\/ada"}'],
  ['李小龙', '我是李小龙说的'],
  ['ΟΔΥΣΣΕΥΣ', 'ο οδυσσευς ήρθε'],
])('%j is recognised in %j', (identifier, text) => expect(occurs(identifier, text)).toBe(true));

test('the longer of two identifiers that begin alike is found', () => {
  const matcher = createMatcher(['ann', 'anna', 'anna b']);
  expect([...matcher.find('anna')]).toEqual([1]);
  expect([...matcher.find('Anna B, Ann')].toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
});

test('no identifiers occur nowhere', () => {
  expect(createMatcher([]).occursIn('anything')).toBe(false);
  expect(createMatcher([]).find('').size).toBe(0);
});

const word = fc.stringMatching(/^[a-zA-Z0-9éß李@.:/+ -]{3,12}$/).filter((text) => text.trim() === text);

test('an identifier is found wherever no letter or digit touches it, in any case and composition', () => {
  const around = fc.constantFrom('', ' ', ':', '/', '"', '\n', '(', '_', '%', '\\"');
  const spelling = fc.constantFrom<(text: string) => string>(
    (text) => text,
    (text) => text.normalize('NFD'),
    (text) => text.toLowerCase(),
    (text) => encodeURIComponent(text),
    (text) => JSON.stringify(text),
  );
  fc.assert(
    fc.property(word, fc.tuple(around, around), spelling, (identifier, [before, after], spell) => {
      expect(occurs(identifier, `x ${before}${spell(identifier)}${after} y`)).toBe(true);
    }),
  );
});

test('find agrees with a plain search at the borders of words', () => {
  const letter = fc.constantFrom('a', 'b', ' ', '@', '.');
  const text = fc.string({ unit: letter, maxLength: 30 });
  const identifier = fc
    .string({ unit: letter, minLength: 1, maxLength: 4 })
    .filter((each) => each.trim() === each);
  fc.assert(
    fc.property(fc.array(identifier, { maxLength: 5 }), text, (identifiers, text) => {
      const found = createMatcher(identifiers).find(text);
      for (const [index, each] of identifiers.entries()) {
        expect(found.has(index)).toBe(occursPlainly(fold(each), text));
      }
    }),
    { numRuns: 500 },
  );
});

/** The rule, tried at every place. */
function occursPlainly(identifier: string, text: string): boolean {
  const folded = fold(text);
  return Array.from({ length: folded.length }, (_, at) => at).some((at) => {
    const end = at + identifier.length;
    return (
      folded.startsWith(identifier, at) &&
      !(isWord(folded[at - 1]) && isWord(folded[at])) &&
      !(isWord(folded[end - 1]) && isWord(folded[end]))
    );
  });
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[ab]/.test(character);
}

test('no other character than the Kelvin sign turns into an ASCII letter or digit', () => {
  const turned: string[] = [];
  for (let code = 0x80; code <= 0x10_ffff; code += 1) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    // A letter under a mark, as the Turkish I with its dot is, is another letter.
    if (/[0-9a-z](?!\p{M})/u.test(fold(character))) turned.push(character);
  }
  expect(turned).toEqual(['\u212a']);
});

test('the time grows with the text, not with what it is made of', () => {
  const matcher = createMatcher(Array.from({ length: 64 }, (_, at) => `${'a'.repeat(200)}${at}`));
  expect(matcher.occursIn('a'.repeat(60_000))).toBe(false);
  expect(matcher.occursIn('%'.repeat(60_000))).toBe(false);
  expect(matcher.occursIn('\\'.repeat(60_000))).toBe(false);
});

import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seed } from '../job/testing.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { createMatcher } from './identifiers.ts';
import { createPerson } from './person.ts';
import { supersetPattern } from './prefilter.ts';
import { requiredWords } from './required-words.ts';
import { canConcern } from './wanted.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const parts = [
  'ada',
  'K',
  'é',
  'e\u0301',
  'İ',
  'ß',
  '李',
  'ς',
  '@x.com',
  ' ',
  '\\',
  '"',
  '%',
  '+',
  '/',
  '_',
  'n',
  '1',
  '.*',
];
const part = fc.constantFrom(...parts);
const identifier = fc.string({ unit: part, minLength: 1, maxLength: 5 });
const spelling = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => text.replaceAll('K', '\u212a'),
  (text) => text.normalize('NFD'),
  (text) => text.replaceAll(' ', '+'),
  (text) => encodeURIComponent(text),
  (text) => encodeURIComponent(encodeURIComponent(text)),
  (text) => JSON.stringify(text),
  (text) => JSON.stringify(JSON.stringify(text.replaceAll(' ', '\n\t'))),
  (text) => JSON.stringify(encodeURIComponent(text)),
  (text) => escapeAll(JSON.stringify(text), /[^ -~]/g),
  (text) => escapeAll(text, /[^0-9A-Za-z]/g),
);

/** As an encoder does that escapes more than it must. */
function escapeAll(text: string, which: RegExp): string {
  return text.replaceAll(which, (each) => String.raw`\u` + each.charCodeAt(0).toString(16).padStart(4, '0'));
}

const around = fc.string({ unit: part, maxLength: 3 });
const sample = fc.tuple(identifier, spelling, around, around).map(([identifier, spell, before, after]) => ({
  identifier,
  text: `${before}${spell(identifier)}${after}`,
}));

// Few are looked for whole, many by a word of each.
test.each([0, 20])(
  'the database finds every text in which an identifier occurs, with %i others',
  async (count) => {
    const others = Array.from({ length: count }, (_, at) => `other ${at}`);
    const samples = fc.sample(sample, 3_000).filter(({ identifier, text }) => {
      return identifier.isWellFormed() && text.isWellFormed();
    });
    const rows = await core.services.db.query(
      sql<{ found: boolean | null }>`
      select text collate "C" ~ pattern as found
      from unnest(${samples.map(({ text }) => text)}::text[],
        ${samples.map(({ identifier }) => supersetPattern([identifier, ...others]) ?? '')}::text[])
        with ordinality as samples (text, pattern, n) order by n`,
    );
    const missed = samples.filter(({ identifier, text }, at) => {
      return createMatcher([identifier]).occursIn(text) && rows[at]?.found !== true;
    });
    expect(missed).toEqual([]);
    const occurring = samples.filter(({ identifier, text }) => createMatcher([identifier]).occursIn(text));
    expect(occurring.length).toBeGreaterThan(500);
  },
);

test('every text in which an identifier occurs has one of the words that it asks for', () => {
  const samples = fc.sample(sample, 20_000);
  const occurring = samples.filter(({ identifier, text }) =>
    createMatcher([identifier], null).occursIn(text),
  );
  const missed = occurring.filter(({ identifier, text }) => !createMatcher([identifier]).occursIn(text));
  expect(missed).toEqual([]);
  expect(occurring.filter(({ identifier }) => requiredWords([identifier])).length).toBeGreaterThan(1_000);
});

const where: [string, object][] = [
  ['actor.id', { actor: { type: 'user', id: 'x:Jürgen@x.com' } }],
  ['actor.label', { actor: { type: 'user', id: 'x', label: 'JÜRGEN@X.COM' } }],
  ['subject', { subject: { id: 'jürgen@x.com' } }],
  ['scope', { scopeId: 'jürgen@x.com' }],
  ['message', { message: 'to Ju\u0308rgen@x.com' }],
  ['user agent', { context: { userAgent: 'j%C3%BCrgen%40x.com' } }],
  ['tags', { tags: ['a', 'jürgen@x.com'] }],
  ['a value', { metadata: { deep: [{ value: 'jürgen@x.com' }] } }],
  ['a key', { metadata: { deep: { 'jürgen@x.com': 1 } } }],
  ['subject beside', { subject: { id: 'J\u00dcRGEN@X.COM' }, message: 'nothing' }],
  ['details', { kind: 'system', details: { component: 'c', affected: ['jürgen@x.com'] } }],
];

test.each(where)('a record that names the person in %s is looked at closely', async (_, fields) => {
  const ctx = core.context();
  await seed(ctx, [{ ...anActivity(), ...fields }, anActivity()]);
  const wanted = canConcern(createPerson({ ids: ['nobody'], identifiers: ['jürgen@x.com'] }));
  const rows = await ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.query(sql`select id from annals.activity where tenant_id = ${ctx.tenantId} and (${wanted})`),
  );
  expect(rows).toHaveLength(1);
});

test('without identifiers nothing is looked at closely', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity()]);
  const wanted = canConcern(createPerson({ ids: ['7'], identifiers: [] }));
  const rows = await ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.query(sql`select id from annals.activity where tenant_id = ${ctx.tenantId} and (${wanted})`),
  );
  expect(rows).toEqual([]);
});

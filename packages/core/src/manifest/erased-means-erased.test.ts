import { createHash } from 'node:crypto';
import { anActivity } from '@annals/testkit';
import { canonicalJson, rebuildEntry } from '@annals/tlog';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { type Inspection, inspect, seed } from '../job/testing.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { anonymizePerson, redactFields, type Survivor, survivors } from './testing.ts';

let core: TestCore;
let inspection: Inspection;
beforeAll(async () => {
  core = await openTestCore();
  inspection = await inspect(core);
});
afterAll(async () => {
  await inspection.close();
  await core.close();
});

const saltBytes = 16;
const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const uint16 = (value: number) => Uint8Array.of(value >> 8, value & 255);

/** Every byte string that the database keeps of the tenant, of the log and beside it. */
async function storedBytes(ctx: Context): Promise<Buffer[]> {
  const found: Buffer[] = [];
  const columns = await inspection.query<{ table: string; column: string }>(
    `select table_name as "table", column_name as "column" from information_schema.columns
      where table_schema = 'annals' and data_type = 'bytea' and table_name !~ '_[0-9]{6}$'
        and table_name in (select table_name from information_schema.columns
          where table_schema = 'annals' and column_name = 'tenant_id')`,
  );
  expect(columns).toEqual(
    expect.arrayContaining([
      { table: 'activity', column: 'seed' },
      { table: 'activity', column: 'openings' },
      { table: 'manifest', column: 'salt' },
      { table: 'erasure_item', column: 'rest' },
      { table: 'batch', column: 'leaves' },
    ]),
  );
  for (const { table, column } of columns) {
    const rows = await inspection.query<{ bytes: Buffer }>(
      `select ${column} as bytes from annals.${table} where tenant_id = $1 and ${column} is not null`,
      [ctx.tenantId],
    );
    found.push(...rows.map(({ bytes }) => bytes));
  }
  return found;
}

interface Guess {
  /** Number of the slot in the format, and its bytes under the guess. */
  readonly slot: number;
  readonly value: Uint8Array;
}

/**
 * Try a guess as somebody would who has the whole database: every 16 bytes of it as the salt, and as the seed of
 * the salt of any place; confirmed when the commitment stands anywhere, or is what makes a leaf.
 */
function confirms(stored: readonly Buffer[], { slot, value }: Guess): boolean {
  const known = new Set<string>();
  const windows = new Set<string>();
  for (const bytes of stored) {
    for (let at = 0; at + 32 <= bytes.length; at += 1) known.add(bytes.toString('latin1', at, at + 32));
    for (let at = 0; at + saltBytes <= bytes.length; at += 1) {
      windows.add(bytes.toString('latin1', at, at + saltBytes));
    }
  }
  const salts = [...windows].flatMap((window) => {
    const bytes = Buffer.from(window, 'latin1');
    const derived = Array.from({ length: 8 }, (_, block) => sha256('annals/salt/1\0', uint16(block), bytes));
    return [bytes, ...derived.flatMap((hash) => [hash.subarray(0, saltBytes), hash.subarray(saltBytes)])];
  });
  return salts.some((salt) =>
    known.has(sha256('annals/slot/1\0', uint16(slot), salt, value).toString('latin1')),
  );
}

/** The entry of the tenant's one record, as a proof once gave it out: every commitment of it. */
async function entryOf(ctx: Context): Promise<Buffer> {
  const [only] = await survivors(ctx);
  return Buffer.from(rebuildEntry((only as Survivor).record, (only as Survivor).opening).bytes);
}

const email = 'quilla@example.org';
const dictionary = ['alice@example.org', 'bob@example.org', email, 'zoe@example.org'];
const messageSlot = 9;

const guessesOf = (slot: number, values: readonly Uint8Array[]): Guess[] =>
  values.map((value) => ({ slot, value }));
const asText = (values: readonly string[]) => values.map((value) => Buffer.from(value));

test('what was redacted cannot be confirmed by guessing from anything stored; what was not, can', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({
      message: email,
      reason: 'asked for',
      metadata: { mail: email, nested: { mail: email, plan: 'pro' }, kept: 'kept' },
    }),
  ]);
  const entry = await entryOf(ctx);
  const before = [...(await storedBytes(ctx)), entry];
  const erased = [
    ...guessesOf(messageSlot, asText(dictionary)),
    ...guessesOf(
      257,
      dictionary.map((mail) => canonicalJson({ mail })),
    ),
    ...guessesOf(
      258,
      dictionary.map((mail) => canonicalJson({ nested: { mail, plan: 'pro' } })),
    ),
  ];
  expect(erased.filter((guess) => confirms(before, guess))).toHaveLength(3);

  await redactFields(ctx, { fields: ['message', 'metadata.mail', 'metadata.nested.mail'] });
  const after = [...(await storedBytes(ctx)), entry];
  expect(erased.filter((guess) => confirms(after, guess))).toEqual([]);
  // What stays can still be proven: the search would have found it.
  const kept = [
    { slot: 10, value: Buffer.from('asked for') },
    { slot: 256, value: canonicalJson({ kept: 'kept' }) },
  ];
  expect(kept.filter((guess) => confirms(after, guess))).toEqual(kept);
}, 60_000);

test('so it is for a person, after two erasures of the same record', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ actor: { type: 'user', id: email, label: 'Quilla' }, message: 'second' })]);
  const entry = await entryOf(ctx);
  const erased = [...guessesOf(1, asText(dictionary)), ...guessesOf(2, asText(['Quilla', 'Alice']))];
  const before = [...(await storedBytes(ctx)), entry];
  expect(erased.filter((guess) => confirms(before, guess))).toHaveLength(2);
  await anonymizePerson(ctx, { id: email, mode: 'pseudonymize' });
  await redactFields(ctx, { fields: ['message'] });
  const after = [...(await storedBytes(ctx)), entry];
  const all = [...erased, ...guessesOf(messageSlot, asText(['first', 'second']))];
  expect(all.filter((guess) => confirms(after, guess))).toEqual([]);
}, 60_000);

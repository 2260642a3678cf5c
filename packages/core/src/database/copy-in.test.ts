import * as fc from 'fast-check';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestCore, type TestCore } from '../testing.ts';
import { copyIn } from './copy-in.ts';
import {
  beginCopy,
  beginRow,
  endCopy,
  writeBoolean,
  writeBytes,
  writeInteger,
  writeJson,
  writeMoment,
  writeNull,
  writeText,
  writeTexts,
  writeUuid,
} from './copy-writer.ts';

let core: TestCore;
let admin: Client;
beforeAll(async () => {
  core = await openTestCore();
  admin = new Client({ connectionString: core.url });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await core.close();
});

/** What PostgreSQL can store of a text. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }).map((value) => value.replaceAll('\0', '').toWellFormed()),
  fc.constantFrom('', '\\N', '"{,}"', 'x'.repeat(5_000), 'ä'.repeat(47), `${'x'.repeat(47)}😀`),
);
const row = fc.record({
  place: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  text: fc.option(text),
  texts: fc.array(text, { maxLength: 4 }),
  uuid: fc.uuid(),
  moment: fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
  json: fc.dictionary(text, fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text))),
  bytes: fc.uint8Array({ maxLength: 20 }),
  flag: fc.boolean(),
});
type Row = typeof row extends fc.Arbitrary<infer Value> ? Value : never;

/** With hardly any room at first, so that it has to grow. */
function encode(rows: readonly Row[]): Buffer {
  const writer = beginCopy(0);
  for (const { place, text, texts, uuid, moment, json, bytes, flag } of rows) {
    beginRow(writer, 8);
    writeInteger(writer, place);
    if (text === null) writeNull(writer);
    else writeText(writer, text);
    writeTexts(writer, texts);
    writeUuid(writer, uuid);
    writeMoment(writer, moment);
    writeJson(writer, json);
    writeBytes(writer, bytes);
    writeBoolean(writer, flag);
  }
  return endCopy(writer);
}

test('rows in the binary form of COPY come back as they were written', async () => {
  await admin.query(`create temporary table copied (at serial, place int, text text, texts text[], uuid uuid,
    moment timestamptz, json jsonb, bytes bytea, flag boolean)`);
  const columns = 'place, text, texts, uuid, moment, json, bytes, flag';
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
      await admin.query('truncate copied');
      await admin.query(copyIn(`copy copied (${columns}) from stdin (format binary)`, encode(rows)));
      const { rows: stored } = await admin.query(
        `select ${columns}, extract(epoch from moment) * 1000 as ms from copied order by at`,
      );
      const seen = stored.map(({ ms, ...columns }) => ({ ...columns, moment: new Date(Number(ms)) }));
      expect(seen).toEqual(rows.map((each) => ({ ...each, bytes: Buffer.from(each.bytes) })));
    }),
    { numRuns: 60 },
  );
});

const statement = 'copy annals.policy (tenant_id, name, rank, rule) from stdin (format binary)';

function policy(name: string): Buffer {
  const writer = beginCopy(100);
  beginRow(writer, 4);
  writeText(writer, 't');
  writeText(writer, name);
  writeInteger(writer, 0);
  writeJson(writer, {});
  return endCopy(writer);
}

function names(): Promise<unknown[]> {
  return core.services.db.transaction('t', (tx) =>
    tx.query(sql`select name from annals.policy order by name`),
  );
}

describe('a copy within a transaction', () => {
  test('is refused under row-level security, and the connection serves on', async () => {
    const copying = core.services.db.transaction('t', (tx) => tx.copy(statement, policy('a')));
    await expect(copying).rejects.toMatchObject({ code: '0A000' });
    expect(await names()).toEqual([]);
  });

  const copyOne = 'copy annals.activity_202606 (tenant_id) from stdin (format binary)';

  test.each([
    ['a row that the database refuses', copyOne, policy('a'), '22P04'],
    ['rows that end in the middle', copyOne, policy('a').subarray(0, 30), '22P04'],
    ['a table that is not there', 'copy annals.nothing from stdin (format binary)', policy('a'), '42P01'],
  ])(
    'fails with the state of the database for %s, and the connection serves on',
    async (_name, ...copying) => {
      const [text, rows, code] = copying;
      await core.services.db.query(sql`select annals.create_activity_partition('2026-06-01Z')`);
      const failing = core.services.db.transaction('t', (tx) => tx.copy(text, rows));
      await expect(failing).rejects.toMatchObject({ code });
      expect(await names()).toEqual([]);
    },
  );

  test('fails as unavailable when its connection is lost', async () => {
    const copying = core.services.db.transaction('t', async (tx) => {
      const [backend] = await tx.query(sql<{ pid: number }>`select pg_backend_pid() as pid`);
      await admin.query('select pg_terminate_backend($1, 5000)', [backend?.pid]);
      await tx.copy(statement, policy('a'));
    });
    await expect(copying).rejects.toMatchObject({ code: 'unavailable' });
    expect(await names()).toEqual([]);
  });
});

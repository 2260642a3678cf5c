import * as fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestCore, type TestCore } from '../testing.ts';
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
import { writeInOneTrip } from './one-trip.ts';

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
      const step = { text: `copy copied (${columns}) from stdin (format binary)`, rows: encode(rows) };
      await writeInOneTrip(admin, [{ tenantId: 't', steps: [step] }]);
      const { rows: stored } = await admin.query(
        `select ${columns}, extract(epoch from moment) * 1000 as ms from copied order by at`,
      );
      const seen = stored.map(({ ms, ...columns }) => ({ ...columns, moment: new Date(Number(ms)) }));
      expect(seen).toEqual(rows.map((each) => ({ ...each, bytes: Buffer.from(each.bytes) })));
    }),
    { numRuns: 60 },
  );
});

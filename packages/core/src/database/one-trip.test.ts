import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestCore, type TestCore } from '../testing.ts';
import { beginCopy, beginRow, endCopy, writeInteger, writeText } from './copy-writer.ts';
import { type Database, openDatabase } from './database.ts';
import type { TenantWrite, WriteStep } from './one-trip.ts';

let core: TestCore;
let admin: Client;
/** Of one connection, so that each write shows what the one before left behind. */
let db: Database;
beforeAll(async () => {
  core = await openTestCore();
  admin = new Client({ connectionString: core.url });
  await admin.connect();
  await admin.query('create table written (tenant text not null, place int primary key, note text)');
  await admin.query('grant insert on written to annals_app');
  db = await openDatabase({ urls: { app: core.url, custodian: core.url }, setRole: true, poolMax: 1 });
});
beforeEach(() => admin.query('truncate written'));
afterAll(async () => {
  await db.close();
  await admin.end();
  await core.close();
});

const setting = `current_setting('annals.tenant_id', true)`;

function insert(place: number): WriteStep {
  return { text: `insert into written select ${setting}, ${place}` };
}

function copy(places: readonly number[], note = ''): WriteStep {
  const writer = beginCopy(0);
  for (const place of places) {
    beginRow(writer, 3);
    writeText(writer, 'copied');
    writeInteger(writer, place);
    writeText(writer, note);
  }
  return { text: 'copy written from stdin (format binary)', rows: endCopy(writer) };
}

async function written(): Promise<unknown[]> {
  const { rows } = await admin.query({
    text: 'select tenant, place from written order by place',
    rowMode: 'array',
  });
  return rows;
}

describe('what is written in one trip', () => {
  test('is written as its tenant, copies between statements, in their order', async () => {
    const writes: TenantWrite[] = [
      { tenantId: 'a', steps: [insert(1), copy([2, 3]), insert(4)] },
      { tenantId: `b'; select '\\`, steps: [copy([5]), copy([]), insert(6)] },
      { tenantId: '*', steps: [copy([7])] },
    ];
    await db.write(writes);
    expect(await written()).toEqual([
      ['a', 1],
      ['copied', 2],
      ['copied', 3],
      ['a', 4],
      ['copied', 5],
      [`b'; select '\\`, 6],
      ['copied', 7],
    ]);
  });

  test('has no tenant any more when it ends', async () => {
    await db.write([{ tenantId: 'a', steps: [insert(1)] }]);
    const [row] = await db.query(sql`select current_setting('annals.tenant_id', true) as tenant`);
    expect(row).toEqual({ tenant: '' });
  });

  const large = copy([11], 'x'.repeat(8 * 1024 * 1024));
  const failures: [string, readonly WriteStep[], string][] = [
    ['the first statement', [{ text: 'nonsense' }, copy([1]), large], '42601'],
    ['a statement before a copy', [insert(1), { text: 'select 1 / 0' }, copy([2]), large], '22012'],
    [
      'a copy that is forbidden',
      [insert(1), { ...large, text: 'copy annals.batch from stdin' }, copy([2])],
      '0A000',
    ],
    ['a row of a copy', [copy([1]), copy([2, 3, 2]), large, insert(4)], '23505'],
    [
      'rows that are not whole',
      [copy([1]), { ...large, rows: large.rows?.subarray(0, 999) as Buffer }, insert(2)],
      '22P04',
    ],
    ['the last statement', [copy([1]), large, insert(11)], '23505'],
  ];
  test.each(failures)(
    'is undone as a whole when %s fails, and the connection serves on',
    async (_name, steps, code) => {
      const writes = [
        { tenantId: 'a', steps: [insert(100)] },
        { tenantId: 'b', steps },
        { tenantId: 'c', steps: [insert(101)] },
      ];
      await expect(db.write(writes)).rejects.toMatchObject({ code });
      expect(await written()).toEqual([]);
      await db.write([{ tenantId: 'd', steps: [insert(1), copy([2])] }]);
      expect(await written()).toEqual([
        ['d', 1],
        ['copied', 2],
      ]);
    },
  );

  test('fails as unavailable when the connection is lost, and the next one serves', async () => {
    await admin.query('begin');
    await admin.query('lock table written');
    const writing = db.write([{ tenantId: 'a', steps: [copy([1]), large] }]);
    const failed = expect(writing).rejects.toMatchObject({ code: 'unavailable' });
    const kill = `select pg_terminate_backend(pid, 5000) from pg_locks
      where not granted and relation = 'written'::regclass`;
    while ((await admin.query(kill)).rowCount === 0);
    await admin.query('commit');
    await failed;
    expect(await written()).toEqual([]);
    await db.write([{ tenantId: 'b', steps: [insert(1)] }]);
    expect(await db.pools()).toMatchObject([{ total: 1, idle: 1, waiting: 0 }, {}]);
  });
});

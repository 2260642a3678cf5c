import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestCore, type TestCore } from '../testing.ts';

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

test('connections that are lost within transactions are reported, and do not use up the pool', async () => {
  const { db } = core.services;
  for (let lost = 0; lost < 10; lost += 1) {
    const transaction = db.transaction('t', async (tx) => {
      const [backend] = await tx.query(sql<{ pid: number }>`select pg_backend_pid() as pid`);
      await admin.query('select pg_terminate_backend($1, 5000)', [backend?.pid]);
      if (lost % 2 === 0) await tx.query(sql`select 1`);
    });
    await expect(transaction).rejects.toMatchObject({ code: 'unavailable' });
  }
  expect(await db.transaction('t', (tx) => tx.query(sql`select 1 as one`))).toEqual([{ one: 1 }]);
  expect(await db.query(sql`select 1 as one`)).toEqual([{ one: 1 }]);
  const [app] = await db.pools();
  expect(app).toMatchObject({ total: app?.idle, waiting: 0 });
});

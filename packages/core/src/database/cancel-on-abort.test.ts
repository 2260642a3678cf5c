import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { read } from '../activity/read.ts';
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

/** How many statements with this mark the database runs now. */
async function running(mark: string): Promise<number> {
  const { rowCount } = await admin.query(
    `select from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()`,
    [`%${mark}%`],
  );
  return rowCount ?? -1;
}

describe('a read whose caller goes away', () => {
  test('ends in the database, not only here', async () => {
    const caller = new AbortController();
    const ctx = { ...core.context(), signal: caller.signal };
    const endless = read(ctx, (tx) => tx.query(sql`select 'endless', pg_sleep(600)`));
    const ended = expect(endless).rejects.toMatchObject({ code: 'timeout', message: 'the caller went away' });
    await vi.waitFor(async () => expect(await running('endless')).toBe(1));
    caller.abort();
    await ended;
    await vi.waitFor(async () => expect(await running('endless')).toBe(0));
    expect(await read(core.context(), (tx) => tx.query(sql`select 1 as one`))).toEqual([{ one: 1 }]);
  });

  test('begins no further statement', async () => {
    const caller = new AbortController();
    const ctx = { ...core.context(), signal: caller.signal };
    let statements = 0;
    const leaving = read(ctx, async (tx) => {
      for (;;) {
        await tx.query(sql`select 1`);
        statements += 1;
        caller.abort();
      }
    });
    await expect(leaving).rejects.toMatchObject({ code: 'timeout' });
    expect(statements).toBe(1);
    await expect(read(ctx, async () => 'begun')).rejects.toMatchObject({ code: 'timeout' });
  });

  test('leaves its connection to others as it was', async () => {
    for (let round = 0; round < 12; round += 1) {
      const caller = new AbortController();
      const ctx = { ...core.context(), signal: caller.signal };
      const left = read(ctx, (tx) => tx.query(sql`select 'gone', pg_sleep(600)`));
      const ended = expect(left).rejects.toMatchObject({ code: 'timeout' });
      await vi.waitFor(async () => expect(await running('gone')).toBe(1));
      caller.abort();
      await ended;
      // On any of the pool's connections, all of which are free again.
      const others = Array.from({ length: 6 }, () =>
        read(core.context(), (tx) => tx.query(sql`select pg_sleep(0.001), 1 as one`)),
      );
      for (const rows of await Promise.all(others)) expect(rows).toMatchObject([{ one: 1 }]);
    }
    const [app] = await core.services.db.pools();
    expect(app).toMatchObject({ total: app?.idle, waiting: 0 });
  });
});

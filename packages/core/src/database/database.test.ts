import { MikroORM } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openTestCore, type TestCore } from '../testing.ts';
import { type Database, openDatabase } from './database.ts';
import type { RuntimeRole } from './roles.ts';

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

test('closing waits for calls whose connection is just being opened, and refuses those that come later', async () => {
  const db = await openDatabase({ urls: { app: core.url, custodian: core.url }, setRole: true, poolMax: 2 });
  const calls = [
    db.query(sql`select 1 as one`),
    db.transaction('t', (tx) => tx.query(sql`select 1 as one`)),
    db.transaction('t', (tx) => tx.query(sql`select 1 as one`), { timeoutMs: 5_000 }),
  ];
  await db.close();
  for (const call of calls) expect(await call).toEqual([{ one: 1 }]);
  await expect(db.query(sql`select 1`)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a lock that is not to be had in the time set for it is a reason to try again', async () => {
  await admin.query('begin');
  await admin.query('lock table annals.purge_item in share mode');
  const waiting = core.services.db.transaction(
    't',
    async (tx) => {
      // As the dropping of a partition sets it, for the rest of the transaction.
      await tx.query(sql`set local lock_timeout = '20ms'`);
      await tx.query(sql`update annals.purge_item set positions = positions where tenant_id = 't'`);
    },
    { role: 'custodian' },
  );
  await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
  await admin.query('rollback');
});

afterEach(() => vi.unstubAllEnvs());

function openOther(url: string, poolMax = 1): Promise<Database> {
  return openDatabase({ urls: { app: url, custodian: url }, setRole: true, poolMax });
}

function ask(db: Database, role: RuntimeRole, expression: string): Promise<unknown> {
  const statement = sql<{ value: unknown }>`select ${sql.raw(expression)} as value`;
  return db.transaction('t', async (tx) => (await tx.query(statement))[0]?.value, { role });
}

test.each(['app', 'custodian'] as const)('all that a connection URL says holds for %s', async (role) => {
  // Like sslmode, which the test's server does not offer.
  const db = await openOther(`${core.url}?options=${encodeURIComponent('-c work_mem=4321kB')}`);
  try {
    expect(await ask(db, role, `current_setting('work_mem')`)).toBe('4321kB');
    expect(await ask(db, role, 'current_user')).toBe(`annals_${role}`);
  } finally {
    await db.close();
  }
});

test('a login that may not take the roles fails each call, and holds no connection', async () => {
  const login = `stranger_${crypto.randomUUID().slice(0, 8)}`;
  await admin.query(`create role ${login} login password 'x'`);
  const url = new URL(core.url);
  url.username = login;
  url.password = 'x';
  const db = await openOther(url.href);
  try {
    for (const role of ['app', 'app', 'custodian'] as const) {
      await expect(ask(db, role, '1')).rejects.toThrow(/permission denied to set role/);
    }
  } finally {
    await db.close();
    await admin.query(`drop role ${login}`);
  }
});

test("the environment of the application's own MikroORM neither redirects connections nor prints values", async () => {
  for (const [name, value] of Object.entries({ DB_NAME: 'postgres', USER: 'nobody', DEBUG: 'true' })) {
    vi.stubEnv(`MIKRO_ORM_${name}`, value);
  }
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const db = await openOther(core.url);
  try {
    expect(await ask(db, 'app', 'current_database()')).toBe(new URL(core.url).pathname.slice(1));
    expect(printed).not.toHaveBeenCalled();
  } finally {
    printed.mockRestore();
    await db.close();
  }
});

test("a transaction within another, or within one of the application's own MikroORM, has its own role and login", async () => {
  const { db } = core.services;
  const own = await MikroORM.init({
    clientUrl: core.url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    debug: false,
  });
  const roleWithin = () =>
    Promise.all([ask(db, 'custodian', 'current_user'), ask(db, 'app', 'current_user')]);
  try {
    expect(await db.transaction('t', roleWithin)).toEqual(['annals_custodian', 'annals_app']);
    expect(await own.em.fork().transactional(roleWithin)).toEqual(['annals_custodian', 'annals_app']);
    const [row] = await own.em
      .fork()
      .transactional(() => db.query(sql<{ value: string }>`select current_user as value`));
    expect(row?.value).toBe('annals_app');
  } finally {
    await own.close();
  }
});

describe('reads', () => {
  const timeoutMs = 30_000;

  test('leave connections to everything else, however many there are', async () => {
    const { db } = core.services;
    const held = Promise.withResolvers<void>();
    const reads = Array.from({ length: 20 }, () => db.transaction('t', () => held.promise, { timeoutMs }));
    const surveys = Array.from({ length: 20 }, () =>
      db.transaction('t', () => held.promise, { snapshot: true }),
    );
    expect(await ask(db, 'app', '1')).toBe(1);
    expect(await db.query(sql`select 1 as one`)).toEqual([{ one: 1 }]);
    held.resolve();
    await Promise.all([...reads, ...surveys]);
  });

  test('that wait too long for their turn are told to come again', async () => {
    const db = await openOther(core.url, 2);
    const held = Promise.withResolvers<void>();
    const first = db.transaction('t', () => held.promise, { timeoutMs });
    const second = db.transaction('t', async () => 'read', { timeoutMs: 1 });
    const third = db.transaction('t', async () => 'read', { timeoutMs });
    await expect(second).rejects.toMatchObject({ code: 'unavailable' });
    held.resolve();
    await first;
    expect(await third).toBe('read');
    await db.close();
  });

  test('of many statements take no longer for it', async () => {
    const read = core.services.db.transaction(
      't',
      async (tx) => {
        for (;;) await tx.query(sql`select 1`);
      },
      { timeoutMs: 50 },
    );
    await expect(read).rejects.toMatchObject({ code: 'timeout' });
  });
});

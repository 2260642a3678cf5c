import { createTestDatabase } from '@annals/testkit';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKey } from '../access/create-key.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { migrate, provision } from './provision.ts';
import type { RuntimeRole } from './roles.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const runtimeRoles: RuntimeRole[] = ['app', 'custodian'];

function run(role: RuntimeRole, statement: string): Promise<unknown[]> {
  return core.services.db.transaction('t', (tx) => tx.query(sql.raw(statement)), { role });
}

test.each(runtimeRoles)('transactions of %s run as that role, under row-level security', async (role) => {
  const [row] = await run(
    role,
    `select current_user as role, row_security_active('annals.activity') as restricted`,
  );
  expect(row).toEqual({ role: `annals_${role}`, restricted: true });
});

test('statements that belong to no tenant run as the app too', async () => {
  expect(await core.services.db.query(sql`select current_user as role`)).toEqual([{ role: 'annals_app' }]);
});

test('every table belongs to the owner, who runs neither requests nor jobs', async () => {
  const owners = await run(
    'app',
    `select distinct tableowner as owner from pg_tables where schemaname = 'annals'`,
  );
  expect(owners).toEqual([{ owner: 'annals_owner' }]);
});

describe('the app', () => {
  test.each([
    `update annals.activity set message = 'x'`,
    `delete from annals.activity`,
    `truncate annals.activity`,
    `delete from annals.batch`,
    `drop table annals.activity`,
    `select annals.drop_activity_partition('activity_202601', 't')`,
    `delete from annals.api_key`,
    `update annals.api_key set scopes = '{admin}'`,
    `update annals.api_key set secret_hash = ''`,
    `update annals.plan set kind = 'anonymize'`,
    `update annals.job set plan_id = gen_random_uuid()`,
    `update annals.job set result = null`,
  ])('may not: %s', async (statement) => {
    await expect(run('app', statement)).rejects.toThrow(/permission denied|must be owner/);
  });

  test("sees nothing of another tenant's rows, whatever the statement says", async () => {
    const ctx = core.context();
    await createKey({ ctx, input: { name: 'k', scopes: ['admin'] } });
    expect(await run('app', `select id from annals.api_key where tenant_id = '${ctx.tenantId}'`)).toEqual([]);
    expect(await run('app', `update annals.api_key set revoked_at = now() returning id`)).toEqual([]);
  });

  test('cannot write a row of another tenant', async () => {
    const statement = `insert into annals.batch (tenant_id, id, size, recorded_at)
      values ('other', gen_random_uuid(), 1, now())`;
    await expect(run('app', statement)).rejects.toThrow(/row-level security/);
  });
});

describe('the custodian', () => {
  test.each([
    `select from annals.api_key`,
    `update annals.policy set rank = 0`,
    `delete from annals.job`,
    `delete from annals.batch`,
    `truncate annals.activity`,
    `select from graphile_worker.jobs`,
    `select graphile_worker.add_job('annals.run_job')`,
  ])('may not: %s', async (statement) => {
    await expect(run('custodian', statement)).rejects.toThrow(/permission denied/);
  });
});

test.each(runtimeRoles)(
  '%s reads, changes and removes nothing in a partition past its policy',
  async (role) => {
    const made = `select annals.create_activity_partition('2026-02-01Z')`;
    expect(await run(role, made)).toEqual([{ create_activity_partition: 'activity_202602' }]);
    for (const statement of [
      'select from annals.activity_202602',
      `update annals.activity_202602 set tenant_id = 't'`,
      'delete from annals.activity_202602',
      'truncate annals.activity_202602',
      `insert into annals.activity_202602 (tenant_id) values ('t') returning id`,
    ]) {
      await expect(run(role, statement)).rejects.toThrow(/permission denied|must be owner/);
    }
  },
);

function insertRow(tenantId: string, table: string, id = '019c1b00-0000-7000-8000-000000000000'): string {
  return `insert into annals.${table} (tenant_id, occurred_at, id, batch_id, position, recorded_at, action, kind,
      severity, outcome, visibility, actor_type, tags, metadata, own)
    values ('${tenantId}', '2026-02-02Z', '${id}', gen_random_uuid(), 0, now(), 'a', 'activity',
      'info', 'success', 'internal', 'user', '{}', '{}', false)`;
}

describe('the app, which copies into partitions,', () => {
  test.each(['activity', 'activity_202602'])('writes a row of its tenant into %s', async (table) => {
    await run('app', `select annals.create_activity_partition('2026-02-01Z')`);
    await expect(run('app', insertRow('t', table, crypto.randomUUID()))).resolves.toEqual([]);
  });

  // The key of another tenant's row is refused before it is compared with those that are taken.
  test.each(['activity', 'activity_202602'])('cannot write one of another tenant into %s', async (table) => {
    await run('app', `select annals.create_activity_partition('2026-02-01Z')`);
    const theirs = sql.raw(insertRow('other', 'activity'));
    await core.services.db.transaction('other', (tx) => tx.query(theirs)).catch(() => undefined);
    await expect(run('app', insertRow('other', table))).rejects.toThrow(/row-level security/);
  });

  test('cannot write into a partition without a tenant', async () => {
    await run('app', `select annals.create_activity_partition('2026-02-01Z')`);
    const statement = sql.raw(insertRow('t', 'activity_202602'));
    await expect(core.services.db.query(statement)).rejects.toThrow(/row-level security/);
  });
});

test('the custodian, which copies nothing, cannot insert into a partition', async () => {
  await run('custodian', `select annals.create_activity_partition('2026-02-01Z')`);
  await expect(
    run('custodian', 'insert into annals.activity_202602 (tenant_id) values (null)'),
  ).rejects.toThrow(/permission denied/);
});

test("a caller's time zone and form of dates do not move the bounds of a partition", async () => {
  const [row] = await core.services.db.transaction('t', async (tx) => {
    await tx.query(
      sql`select set_config('datestyle', 'SQL, MDY', true), set_config('timezone', '<+05>-3', true)`,
    );
    await tx.query(sql`select annals.create_activity_partition('2001-07-01Z')`);
    return tx.query(sql`select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
      (select pg_get_expr(relpartbound, oid) from pg_class where relname = 'activity_200107') as bounds`);
  });
  expect(row).toMatchObject({
    bounds: "FOR VALUES FROM ('2001-07-01 00:00:00+00') TO ('2001-08-01 00:00:00+00')",
  });
});

test('the job queue belongs to the owner too, whatever options the connection URL has', async () => {
  const database = await createTestDatabase({ template: { name: 'empty', create: async () => undefined } });
  const url = `${database.url}?options=${encodeURIComponent('-c work_mem=4321kB')}`;
  const client = new Client({ connectionString: database.url });
  try {
    await provision(url);
    await migrate(url);
    await client.connect();
    const owners = `select distinct tableowner as owner from pg_tables where schemaname = 'graphile_worker'`;
    expect((await client.query(owners)).rows).toEqual([{ owner: 'annals_owner' }]);
  } finally {
    await client.end();
    await database.drop();
  }
});

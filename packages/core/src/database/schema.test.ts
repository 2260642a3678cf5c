import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestCore, type TestCore } from '../testing.ts';
import { openOwner } from './provision.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

test('entities and the migrated schema agree, partitions included', async () => {
  await core.services.db.query(sql`select annals.create_activity_partition('2026-01-01')`);
  const owner = await openOwner(core.url);
  try {
    expect(await owner.schema.getUpdateSchemaSQL({ wrap: false })).toBe('');
    expect(await owner.migrator.checkSchema()).toBe(false);
  } finally {
    await owner.close();
  }
});

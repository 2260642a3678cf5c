import { AnnalsError } from '@annals/contract';
import { createTestDatabase, type TestDatabase } from '@annals/testkit';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { bootstrapKey } from './access/bootstrap-key.ts';
import { assertSupportedServer, type OpenedServices, openServices } from './services.ts';

const opened: (OpenedServices | TestDatabase)[] = [];
afterEach(async () => {
  // The database goes last: it was opened first.
  for (const each of opened.splice(0).toReversed()) await ('drop' in each ? each.drop() : each.close());
});

async function anEmptyDatabase(): Promise<string> {
  const database = await createTestDatabase({ template: { name: 'empty', create: async () => undefined } });
  opened.push(database);
  return database.url;
}

async function open(url: string, migrate: boolean): Promise<OpenedServices> {
  const services = await openServices({ database: { url }, migrate, poolMax: 2 });
  opened.push(services);
  return services;
}

test('several processes may start on an empty database at once, and find it again later', async () => {
  const url = await anEmptyDatabase();
  const [first] = await Promise.all([open(url, true), open(url, true), open(url, true)]);
  const key = { tenantId: 't', name: 'k', scopes: ['admin'] as const };
  await bootstrapKey(first.services, key);
  const later = await open(url, false);
  expect(await later.services.db.query(sql`select id from annals.list_tenants()`)).toEqual([{ id: 't' }]);
});

test('a database that no server has prepared is refused', async () => {
  await expect(open(await anEmptyDatabase(), false)).rejects.toMatchObject({
    code: 'invalid_input',
    message: 'not prepared for Annals; start a server on it first',
  });
});

test.each(['14.9', '9.6.24', '14beta1 (Debian)', '', 'Redshift'])('a server %j is refused', (version) => {
  expect(() => assertSupportedServer(version)).toThrow(/PostgreSQL .* is not supported; Annals needs 15/);
});

test.each(['15.0', '16.4 (Debian 16.4-1)', '18beta1'])('a server %j is taken', (version) => {
  expect(() => assertSupportedServer(version)).not.toThrow();
});

test('a database that cannot be reached is unavailable', async () => {
  const database = { url: 'postgresql://postgres@127.0.0.1:1/none' };
  const error: unknown = await openServices({ database }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(AnnalsError);
  expect(error).toMatchObject({ code: 'unavailable' });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveTarget } from './settings.ts';

const dev = { url: 'http://127.0.0.1:4983', apiKey: 'annals_dev', tenantId: 'demo' };
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'annals-settings-'));
  await mkdir(join(root, '.annals'));
  await mkdir(join(root, 'a', 'b'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

const writeDev = (content: string = JSON.stringify(dev)) =>
  writeFile(join(root, '.annals', 'dev.json'), content);
const resolve = (options: Parameters<typeof resolveTarget>[0], env: Record<string, string> = {}) =>
  resolveTarget(options, env, join(root, 'a', 'b'));

test('the file of a development start is found from the folders below it', async () => {
  await writeDev();
  expect(await resolve({})).toEqual({ via: 'http', ...dev });
  expect(await resolve({ tenant: 'other' })).toMatchObject({ tenantId: 'other' });
});

test('options win over the environment, and that over the file', async () => {
  await writeDev();
  const env = { ANNALS_URL: 'https://a.example', ANNALS_API_KEY: 'annals_env', ANNALS_TENANT: 't1' };
  expect(await resolve({}, env)).toEqual({
    via: 'http',
    url: 'https://a.example',
    apiKey: 'annals_env',
    tenantId: 't1',
  });
  expect(await resolve({ url: 'https://b.example', tenant: 't2' }, env)).toMatchObject({
    url: 'https://b.example',
    tenantId: 't2',
  });
  expect(await resolve({ databaseUrl: 'postgres://h/d' }, env)).toEqual({
    via: 'database',
    database: { url: 'postgres://h/d' },
    tenantId: 't1',
  });
});

test('a database URL that other programs use too does not win over ANNALS_URL', async () => {
  const env = { DATABASE_URL: 'postgres://h/d' };
  expect(await resolve({}, env)).toMatchObject({ via: 'database', database: { url: 'postgres://h/d' } });
  const logins = { owner: 'postgres://o/d', app: 'postgres://a/d', custodian: 'postgres://c/d' };
  const three = Object.fromEntries(
    Object.entries(logins).map(([role, url]) => [`ANNALS_DATABASE_URL_${role.toUpperCase()}`, url]),
  );
  expect(await resolve({}, { ...env, ...three })).toMatchObject({ via: 'database', database: logins });
  expect(await resolve({}, { ...env, ANNALS_URL: 'https://a.example', ANNALS_API_KEY: 'k' })).toMatchObject({
    via: 'http',
  });
});

test('the key of the file is never sent to another server', async () => {
  await writeDev();
  await expect(resolve({ url: 'https://elsewhere.example' })).rejects.toThrow(
    'no key for https://elsewhere.example: set ANNALS_API_KEY',
  );
});

test('what is missing or contradictory is a usage error that says so', async () => {
  await expect(resolve({ url: 'http://x', databaseUrl: 'postgres://x' })).rejects.toThrow('not both');
  await expect(resolve({ url: 'ftp://x' }, { ANNALS_API_KEY: 'k' })).rejects.toThrow(
    'must be an http or https URL',
  );
  await expect(resolve({ databaseUrl: 'secret@db' })).rejects.toThrow(/^(?!.*secret).*postgresql:/);
  await expect(resolve({}, { ANNALS_DATABASE_URL_APP: 'postgres://a/d' })).rejects.toThrow(
    'all three or none',
  );
  await writeDev('{"url":1}');
  await expect(resolve({})).rejects.toThrow(/dev\.json is not as/);
});

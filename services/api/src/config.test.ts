import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, loadConfig, renderSettingsTable, settings } from './config.ts';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const logins = {
  ANNALS_DATABASE_URL_OWNER: 'postgresql://owner@db/annals',
  ANNALS_DATABASE_URL_APP: 'postgresql://app@db/annals',
  ANNALS_DATABASE_URL_CUSTODIAN: 'postgresql://custodian@db/annals',
};

test('an empty environment starts the embedded database with the documented defaults', () => {
  expect(loadConfig({})).toEqual({
    host: '127.0.0.1',
    port: 4983,
    publicUrl: undefined,
    dataDir: resolve('.annals'),
    database: { mode: 'embedded' },
    processes: 1,
    databasePoolMax: 10,
    readTimeoutMs: 30_000,
    manifestIntervalMs: 86_400_000,
    worker: 'inline',
    signer: {
      mode: 'inline',
      dir: expect.stringMatching(/\.annals[\\/]signer$/),
      logName: undefined,
      witnessPolicy: undefined,
    },
    tlogPublic: false,
    logLevel: 'info',
    demo: true,
  });
});

test('erasures are mixed for no longer than verification waits for their manifest', () => {
  expect(problemsOf({ ANNALS_MANIFEST_HOURS: '36' })).toEqual([]);
  expect(problemsOf({ ANNALS_MANIFEST_HOURS: '37' })).toEqual([
    expect.stringContaining('must be a whole number from 0 to 36'),
  ]);
});

test('an empty value counts as unset', () => {
  expect(loadConfig({ ANNALS_PORT: '', DATABASE_URL: '', ANNALS_PUBLIC_URL: '' })).toEqual(loadConfig({}));
});

test('each documented example and default is accepted', () => {
  for (const { name, example, ...doc } of settings) {
    const others = name.startsWith('ANNALS_DATABASE_URL_') ? logins : {};
    expect(problemsOf({ ...others, [name]: example })).toEqual([]);
    expect(
      problemsOf({ ...others, [name]: doc.default ?? '' }).filter((text) => !text.includes('missing')),
    ).toEqual([]);
  }
});

test('every bad setting is named at once, with its problem and an example', () => {
  const env = {
    ANNALS_PORT: '70000',
    ANNALS_LOG_LEVEL: 'loud',
    ANNALS_DEMO: 'yes',
    ANNALS_DATABASE_POOL_MAX: '1',
  };
  expect(problemsOf(env)).toEqual([
    'ANNALS_PORT is "70000", but must be a whole number from 0 to 65535. Example: ANNALS_PORT=8080',
    'ANNALS_DATABASE_POOL_MAX is "1", but must be a whole number from 2 to 200. Example: ANNALS_DATABASE_POOL_MAX=40',
    'ANNALS_LOG_LEVEL is "loud", but must be one of fatal, error, warn, info, debug, trace, silent. ' +
      'Example: ANNALS_LOG_LEVEL=debug',
    'ANNALS_DEMO is "yes", but must be one of 0, 1. Example: ANNALS_DEMO=0',
  ]);
  expect(() => loadConfig(env)).toThrow(/^Annals cannot start: 4 settings are wrong\.\n {2}ANNALS_PORT/);
});

test.each(['80.5', '-1', '1e3', '0x10', ' 80', '99999999999999999999'])('port %j is refused', (port) => {
  expect(problemsOf({ ANNALS_PORT: port })).toHaveLength(1);
});

test.each(['DATABASE_URL', 'ANNALS_PUBLIC_URL', ...Object.keys(logins)])(
  'a bad %s is not repeated',
  (name) => {
    const env = { ...logins, [name]: 'mysql://root:hunter2@db' };
    const problems = problemsOf(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} must be`));
    expect(problems[0]).not.toContain('hunter2');
  },
);

test.each(['localhost:80', 'http://x', '', 'a b', '[::1]'])('host %j is refused or unset', (host) => {
  expect(problemsOf({ ANNALS_HOST: host })).toHaveLength(host === '' ? 0 : 1);
});

test.each(['::1', '0.0.0.0', 'localhost', 'annals.internal'])('host %j is accepted', (host) => {
  expect(loadConfig({ ANNALS_HOST: host }).host).toBe(host);
});

test('the database is one URL or one login for each role', () => {
  const url = 'postgres://u:p@db/annals';
  expect(loadConfig({ DATABASE_URL: url }).database).toEqual({ mode: 'url', url });
  const perRole = {
    mode: 'urls',
    owner: logins.ANNALS_DATABASE_URL_OWNER,
    app: logins.ANNALS_DATABASE_URL_APP,
    custodian: logins.ANNALS_DATABASE_URL_CUSTODIAN,
  };
  expect(loadConfig({ DATABASE_URL: url, ...logins }).database).toEqual(perRole);
});

test('one login without the other two is refused, naming the missing ones', () => {
  const problems = problemsOf({ ANNALS_DATABASE_URL_APP: logins.ANNALS_DATABASE_URL_APP });
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'ANNALS_DATABASE_URL_OWNER',
    'ANNALS_DATABASE_URL_CUSTODIAN',
  ]);
});

test('a process that runs only jobs needs a database that it can share', () => {
  expect(problemsOf({ ANNALS_WORKER: 'only' })).toEqual([expect.stringMatching(/^DATABASE_URL is missing/)]);
  expect(loadConfig({ ANNALS_WORKER: 'only', ...logins }).worker).toBe('only');
});

test('in production there is a process for each core, at most 4, and they share the connections', () => {
  const { processes, databasePoolMax } = loadConfig({ NODE_ENV: 'production' });
  expect(processes).toBe(Math.min(4, availableParallelism()));
  expect(databasePoolMax * (processes + (processes > 1 ? 1 : 0))).toBeLessThanOrEqual(20);
  const few = loadConfig({ NODE_ENV: 'production', ANNALS_DATABASE_POOL_MAX: '2' });
  expect([few.processes, few.databasePoolMax]).toEqual([1, 2]);
});

test.each([
  ['1', '7', 7],
  ['2', '', 6],
  ['3', '40', 10],
])('%s processes share %j connections: %d each', (processes, poolMax, share) => {
  const config = loadConfig({ ANNALS_PROCESSES: processes, ANNALS_DATABASE_POOL_MAX: poolMax });
  expect([config.processes, config.databasePoolMax]).toEqual([Number(processes), share]);
});

test('connections that do not go round are refused, naming what would', () => {
  expect(problemsOf({ ANNALS_PROCESSES: '10' })).toEqual([
    'ANNALS_DATABASE_POOL_MAX must be at least 22 for 10 processes and the first one. Example: ANNALS_DATABASE_POOL_MAX=22',
  ]);
});

test('a process that runs only jobs is one', () => {
  expect(loadConfig({ ANNALS_WORKER: 'only', ANNALS_PROCESSES: '4', ...logins }).processes).toBe(1);
});

test('an unknown ANNALS_ name is refused, with the nearest known one', () => {
  expect(problemsOf({ ANNALS_PROT: '80', ANNALS_DATABASE_URL: 'x', ANNALS_SOMETHING_ELSE: '1' })).toEqual([
    'ANNALS_DATABASE_URL is not a setting. Did you mean DATABASE_URL?',
    'ANNALS_PROT is not a setting. Did you mean ANNALS_PORT?',
    'ANNALS_SOMETHING_ELSE is not a setting. docs/configuration.md lists them all.',
  ]);
});

test('the settings of the client tools and of other programs are left alone', () => {
  const env = {
    ANNALS_URL: 'x',
    ANNALS_API_KEY: 'x',
    ANNALS_TENANT: 'x',
    PORT: 'x',
    HOME: '/',
    DATABASE_URI: 'x',
  };
  expect(loadConfig(env)).toEqual(loadConfig({}));
});

test('the table in the documentation lists every setting with its default', () => {
  const table = renderSettingsTable();
  for (const { name } of settings) expect(table).toContain(`| \`${name}\` |`);
  expect(table).toContain('| `ANNALS_PORT` | `4983` |');
  expect(table).toContain('| `DATABASE_URL` | none |');
  expect(settings.every(({ description, example }) => description !== '' && example !== '')).toBe(true);
});

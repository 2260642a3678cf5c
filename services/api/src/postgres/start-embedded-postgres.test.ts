import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runnableBinaries } from './binaries.ts';
import { readSecrets } from './secrets.ts';
import { chooseServerAccount } from './server-account.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './start-embedded-postgres.ts';
import { query, startHolder, temporaryDirectory, untilGone } from './test-support.ts';

const log = pino({ level: 'silent' });

// One cluster for the whole file, to save initdb; every test leaves it stopped and with its note.
let dataDir: string;

beforeAll(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'annals-start-')), 'data');
  await chmod(join(dataDir, '..'), 0o755);
  const server = await start();
  expect(server.created).toBe(true);
  await query(server.url, `create table note as select 'kept' as text`);
  await server.stop();
});

afterAll(() => rm(join(dataDir, '..'), { recursive: true, force: true }));

async function start(
  options: { choosePort?: () => Promise<number>; onUnexpectedExit?: () => void } = {},
): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log, ...options });
  onTestFinishedIfAny(() => server.stop());
  return server;
}

function onTestFinishedIfAny(clean: () => Promise<void>): void {
  try {
    onTestFinished(clean);
  } catch {
    // In beforeAll, which stops its server itself.
  }
}

async function expectKept(): Promise<void> {
  const server = await start();
  expect(server.created).toBe(false);
  expect(await query(server.url, 'select text from note')).toEqual([{ text: 'kept' }]);
  await server.stop();
}

test('a second start finds the data again', expectKept);

test('the cluster is durable, UTF-8, checksummed, on loopback only and keeps statements out of its log', async () => {
  const { url } = await start();
  const names = ['fsync', 'synchronous_commit', 'data_checksums', 'server_encoding', 'listen_addresses'];
  names.push('unix_socket_directories', 'log_statement', 'log_min_error_statement', 'password_encryption');
  const rows = await query(url, 'select name, setting from pg_settings where name = any($1)', [names]);
  expect(Object.fromEntries(rows.map((row) => [row['name'], row['setting']]))).toEqual({
    fsync: 'on',
    synchronous_commit: 'on',
    data_checksums: 'on',
    server_encoding: 'UTF8',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_statement: 'none',
    log_min_error_statement: 'panic',
    password_encryption: 'scram-sha-256',
  });
  const locale = 'select datlocprovider, datlocale from pg_database where datname = current_database()';
  expect(await query(url, locale)).toEqual([{ datlocprovider: 'b', datlocale: 'C.UTF-8' }]);
});

test('only the generated password lets one in, and only its owner can read it', async () => {
  const { url } = await start();
  await expect(query(url.replace(/:[0-9a-f]{32}@/, ':wrong@'), 'select 1')).rejects.toThrow(
    /password authentication/,
  );
  expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);
});

test('nothing that a failing statement mentions reaches the log', async () => {
  const lines: string[] = [];
  const watched = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const server = await startEmbeddedPostgres({ dataDir, log: watched });
  await query(server.url, 'create table person (email text primary key)');
  await query(server.url, 'insert into person values ($1)', ['ada@example.com']);
  const duplicate = query(server.url, 'insert into person values ($1)', ['ada@example.com']);
  await expect(duplicate).rejects.toThrow(/duplicate key/);
  await expect(query(server.url, `select 'ada@example.com'::uuid`)).rejects.toThrow(/invalid input syntax/);
  await query(server.url, `do $$ begin raise warning 'ada@example.com'; end $$`);
  await query(server.url, 'drop table person');
  await server.stop();
  expect(lines.join('')).toContain('database system is ready');
  expect(lines.join('')).not.toContain('ada');
});

test('a data directory in use is refused, naming the process', async () => {
  const server = await start();
  await expect(start()).rejects.toThrow(
    `${dataDir} is in use by the running Annals process ${process.pid}; stop it`,
  );
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a server left running by a killed process is stopped and its data found', async () => {
  const holder = startHolder(dataDir);
  const { pid } = JSON.parse(await holder.line());
  process.kill(holder.child.pid ?? 0, 'SIGKILL');
  await untilGone(holder.child.pid ?? 0);
  expect(() => process.kill(pid, 0)).not.toThrow();
  await expectKept();
  await untilGone(pid);
});

test('a process that ends without stopping its server takes it along', async () => {
  const holder = startHolder(dataDir, { afterwards: 'process.exit(0);' });
  const { pid } = JSON.parse(await holder.line());
  await untilGone(pid);
  await expectKept();
});

test('an uncaught error takes the server along', async () => {
  const holder = startHolder(dataDir, {
    afterwards: `setImmediate(() => { throw 1; });`,
  });
  const { pid } = JSON.parse(await holder.line());
  await untilGone(pid);
});

test('Ctrl-C in the terminal leaves the server to the process that owns it', async () => {
  const pgModule = JSON.stringify(import.meta.resolve('pg'));
  const afterwards = `
    const { Client } = await import(${pgModule});
    process.on('SIGINT', async () => {
      const client = new Client({ connectionString: server.url });
      await client.connect();
      console.log((await client.query('select text from note')).rows[0].text);
      await client.end();
      await server.stop();
      process.exit(0);
    });
    setInterval(() => {}, 1000);
    console.log('waiting');`;
  const holder = startHolder(dataDir, { afterwards });
  const { pid } = JSON.parse(await holder.line());
  expect(await holder.line()).toBe('waiting');
  // As the terminal does: to every process of the group.
  process.kill(-(holder.child.pid ?? 0), 'SIGINT');
  expect(await holder.line()).toBe('kept');
  await untilGone(pid);
});

test.each([
  ['of a process that is gone', 2 ** 22 + 1],
  ['whose number now belongs to another program', process.pid],
])('a leftover postmaster.pid %s does not matter', async (_, pid) => {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  await writeFile(file, `${pid}\n${join(dataDir, 'postgres')}\n1\n5432\n\n127.0.0.1\n 1 1\nready\n`);
  const owner = await stat(join(dataDir, 'postgres'));
  await chown(file, owner.uid, owner.gid);
  await expectKept();
});

test('a server that somebody else started on the cluster is named and left alone', async () => {
  const clusterDir = join(dataDir, 'postgres');
  const account = await chooseServerAccount(clusterDir);
  const { postgres } = await runnableBinaries(account);
  const own = await start();
  await own.stop();
  const args = ['-D', clusterDir, '-p', String(own.port), '-c', 'unix_socket_directories='];
  const foreign = spawn(postgres, args, { ...account.ids, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    foreign.kill('SIGINT');
    await untilGone(foreign.pid ?? 0);
  });
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  foreign.stderr.on('data', (text) => String(text).includes('ready to accept') && resolve());
  await ready;
  const sentence = `is in use by another PostgreSQL server (process ${foreign.pid}); stop it`;
  await expect(start()).rejects.toThrow(sentence);
  expect(foreign.exitCode).toBeNull();
});

test('a port that somebody takes first is replaced by another', async () => {
  const occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  onTestFinished(() => void occupant.close());
  const address = occupant.address();
  const takenPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const free = probe.address();
  probe.close();
  const ports = [takenPort, takenPort, typeof free === 'object' ? (free?.port ?? 0) : 0];
  const server = await start({ choosePort: async () => ports.shift() ?? 0 });
  expect(ports).toEqual([]);
  await server.stop();
  await expect(start({ choosePort: async () => takenPort })).rejects.toThrow(
    /did not start: could not create any TCP\/IP/,
  );
  await expectKept();
});

test('a server that crashes is reported, and the next start recovers', async () => {
  const { promise: reported, resolve } = Promise.withResolvers<void>();
  const server = await start({ onUnexpectedExit: resolve });
  process.kill(server.pid, 'SIGKILL');
  await reported;
  await server.stop();
  await expectKept();
});

test('stopping twice is harmless, and asked for', async () => {
  let reports = 0;
  const server = await start({ onUnexpectedExit: () => void (reports += 1) });
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  expect(reports).toBe(0);
});

test('lost secrets are replaced: whoever owns the files may', async () => {
  const before = await readSecrets(dataDir);
  await rm(join(dataDir, 'secrets.json'));
  await expectKept();
  expect((await readSecrets(dataDir))['superuserPassword']).not.toBe(before['superuserPassword']);
});

test('secrets that cannot be understood are refused and left as they are', async () => {
  const file = join(dataDir, 'secrets.json');
  const before = await readFile(file, 'utf8');
  await writeFile(file, '{"superuserPassword": ');
  await expect(start()).rejects.toThrow(`${file} is not a JSON object of texts`);
  expect(await readFile(file, 'utf8')).toBe('{"superuserPassword": ');
  await writeFile(file, before);
});

test('a cluster of another major version is refused, naming both', async () => {
  const file = join(dataDir, 'postgres', 'PG_VERSION');
  await writeFile(file, '15\n');
  await expect(start()).rejects.toThrow(
    /postgres was made by PostgreSQL 15, but Annals brings PostgreSQL 18\.\d+;/,
  );
  expect(await readFile(file, 'utf8')).toBe('15\n');
  await writeFile(file, '18\n');
  await expectKept();
});

test('a first start that is killed in the middle leaves nothing in the way of the next', async () => {
  const directory = await temporaryDirectory(onTestFinished);
  const fresh = join(directory, 'data');
  await mkdir(fresh, { mode: 0o755 });
  const holder = startHolder(fresh);
  const halfFinished = async () =>
    (await readdir(fresh)).find((name) => /^postgres\.init-[0-9a-f]+$/.test(name));
  let found = await halfFinished();
  while (found === undefined || (await readdir(join(fresh, found))).length === 0) {
    await delay(5);
    found = await halfFinished();
  }
  process.kill(holder.child.pid ?? 0, 'SIGKILL');
  await untilGone(holder.child.pid ?? 0);
  const server = await startEmbeddedPostgres({ dataDir: fresh, log });
  expect(server.created).toBe(true);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await server.stop();
});

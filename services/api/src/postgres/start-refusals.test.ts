import { spawnSync } from 'node:child_process';
import { chmod, chown, cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { locateBinaries, runnableBinaries } from './binaries.ts';
import { chooseServerAccount } from './server-account.ts';
import { startEmbeddedPostgres } from './start-embedded-postgres.ts';
import { isRoot, query, startHolder, temporaryDirectory } from './test-support.ts';

const log = pino({ level: 'silent' });
const start = (dataDir: string) => startEmbeddedPostgres({ dataDir, log });

// Debian's account without any rights; present on every Linux.
const nobody = 65_534;

// A clone that only root can enter is closed to everybody else.
const nobodyCanRun = spawnSync(process.execPath, ['--version'], { uid: nobody, cwd: '/' }).status === 0;

/** A file system of its own, unmounted at the end; skips the test where mounting is not allowed. */
async function mountedDirectory(options: string, skip: (note: string) => void): Promise<string> {
  const directory = await temporaryDirectory(onTestFinished);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]);
  if (status !== 0) skip('mounting is not allowed here');
  onTestFinished(() => void spawnSync('umount', ['-l', directory]));
  return directory;
}

test('a data directory that is a file is refused', async () => {
  const file = join(await temporaryDirectory(onTestFinished), 'data');
  await writeFile(file, '');
  const sentence = 'is a file, lies below one, or is a link to nothing; set ANNALS_DATA_DIR to a directory.';
  await expect(start(file)).rejects.toThrow(`The data directory ${file} ${sentence}`);
  await expect(start(join(file, 'below'))).rejects.toThrow(sentence);
  await symlink('/nowhere', `${file}-link`);
  await expect(start(`${file}-link`)).rejects.toThrow(sentence);
});

test('something else in the place of the cluster is refused and left alone', async () => {
  const dataDir = await temporaryDirectory(onTestFinished);
  await mkdir(join(dataDir, 'postgres'));
  await writeFile(join(dataDir, 'postgres', 'thesis.txt'), 'my only copy');
  await expect(start(dataDir)).rejects.toThrow(
    `${join(dataDir, 'postgres')} exists but is not a PostgreSQL cluster`,
  );
  expect(await readdir(join(dataDir, 'postgres'))).toEqual(['thesis.txt']);
  expect(await readdir(dataDir)).toEqual(['postgres']);
});

test('a cluster in the place of which a file lies is refused', async () => {
  const dataDir = await temporaryDirectory(onTestFinished);
  await writeFile(join(dataDir, 'postgres'), '');
  await expect(start(dataDir)).rejects.toThrow(`exists but is not a PostgreSQL cluster`);
});

describe.skipIf(!isRoot)('as root', () => {
  test('a full disk is refused before anything is written', async ({ skip }) => {
    const dataDir = await mountedDirectory('size=16m,mode=755', skip);
    await expect(start(dataDir)).rejects.toThrow(/is full: 1[56] MB are free and 128 MB are needed/);
    expect(await readdir(dataDir)).toEqual([]);
  });

  test('a disk without room for one more file is refused', async ({ skip }) => {
    const dataDir = await mountedDirectory('size=200m,nr_inodes=1,mode=755', skip);
    await expect(start(dataDir)).rejects.toThrow(`The disk that holds the data directory ${dataDir} is full`);
  });

  test('a disk that fills up during the first start is named, and nothing half-finished stays', async ({
    skip,
  }) => {
    // Room by the bytes, but not for the thousand files of a cluster.
    const dataDir = await mountedDirectory('size=200m,nr_inodes=400,mode=755', skip);
    await expect(start(dataDir)).rejects.toThrow(`The disk that holds the data directory ${dataDir} is full`);
    expect(await readdir(dataDir)).toEqual(['secrets.json']);
  });

  test('a read-only disk is refused', async ({ skip }) => {
    const dataDir = await mountedDirectory('size=200m,ro', skip);
    await expect(start(dataDir)).rejects.toThrow(`${dataDir} is on a read-only file system`);
    await expect(start(join(dataDir, 'below'))).rejects.toThrow('is on a read-only file system');
  });

  test('a cluster that belongs to root is refused, with the command that hands it over', async () => {
    const dataDir = await temporaryDirectory(onTestFinished);
    const cluster = join(dataDir, 'postgres');
    await mkdir(cluster);
    await writeFile(join(cluster, 'PG_VERSION'), '18\n');
    await expect(start(dataDir)).rejects.toThrow(
      `belongs to root, as whom PostgreSQL refuses to run; hand it over with "chown -R postgres ${cluster}"`,
    );
  });

  test('below a directory that only root can enter, the server still runs', async () => {
    const closed = await temporaryDirectory(onTestFinished);
    await chmod(closed, 0o700);
    const server = await start(join(closed, 'data'));
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  });

  test('binaries that only root can reach are copied to where the server can run them, once', async () => {
    const closed = await temporaryDirectory(onTestFinished);
    const cacheDir = await temporaryDirectory(onTestFinished);
    const located = await locateBinaries();
    const native = dirname(dirname(located.postgres));
    await cp(native, join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
    await cp(join(native, '..', 'package.json'), join(closed, 'package.json'));
    await chmod(closed, 0o700);
    const unreachable = {
      initdb: join(closed, 'native/bin/initdb'),
      postgres: join(closed, 'native/bin/postgres'),
      pg_ctl: join(closed, 'native/bin/pg_ctl'),
    };
    const account = await chooseServerAccount(join(closed, 'postgres'));
    const options = { cacheDir, located: Promise.resolve(unreachable) };
    const copied = await runnableBinaries(account, options);
    expect(copied.postgres.startsWith(cacheDir)).toBe(true);
    expect(spawnSync(copied.postgres, ['--version'], { ...account.ids, cwd: '/' }).status).toBe(0);
    expect(await runnableBinaries(account, options)).toEqual(copied);
    expect(await readdir(cacheDir)).toHaveLength(1);
  });
});

describe.skipIf(!isRoot || !nobodyCanRun)('as an ordinary user', () => {
  test('an ordinary user gets a server of their own, and root may start it afterwards', async () => {
    const directory = await temporaryDirectory(onTestFinished);
    await chown(directory, nobody, nobody);
    const dataDir = join(directory, 'data');
    const holder = startHolder(dataDir, { uid: nobody, afterwards: 'await server.stop();' });
    expect(JSON.parse(await holder.line())).toMatchObject({ url: expect.stringMatching(/^postgresql:/) });
    await new Promise((resolve) => holder.child.once('exit', resolve));
    const server = await start(dataDir);
    expect(server.created).toBe(false);
    await server.stop();
    await rm(join(dataDir, 'secrets.json'));
    await (await start(dataDir)).stop();
    const again = startHolder(dataDir, { uid: nobody, afterwards: 'await server.stop();' });
    expect(JSON.parse(await again.line())).toMatchObject({ url: expect.stringMatching(/^postgresql:/) });
  });

  test('an ordinary user is told when the data belongs to another one', async () => {
    const dataDir = await temporaryDirectory(onTestFinished);
    await chown(dataDir, nobody, nobody);
    await mkdir(join(dataDir, 'postgres'), { mode: 0o700 });
    const holder = startHolder(dataDir, { uid: nobody });
    expect(await holder.line()).toBe(
      `StartError: The cluster ${dataDir}/postgres belongs to user id 0, but Annals runs as user id ${nobody}; start Annals as its owner or set ANNALS_DATA_DIR to another directory.`,
    );
  });

  test('an ordinary user is told when the data directory cannot be written', async () => {
    const dataDir = await temporaryDirectory(onTestFinished);
    for (const directory of [dataDir, join(dataDir, 'below')]) {
      expect(await startHolder(directory, { uid: nobody }).line()).toBe(
        `StartError: The data directory ${directory} cannot be written by user id ${nobody}; give it the permission or set ANNALS_DATA_DIR to another directory.`,
      );
    }
  });

  test('a user id without an account is told that PostgreSQL needs one', async () => {
    const dataDir = await temporaryDirectory(onTestFinished);
    await chown(dataDir, 54_321, 54_321);
    const line = await startHolder(dataDir, { uid: 54_321 }).line();
    expect(line).toMatch(/^StartError: Annals runs as user id 54321, which has no account on this system/);
  });
});

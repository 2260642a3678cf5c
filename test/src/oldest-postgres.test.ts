import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { createAnnals } from '@annals/client';
import { anActivity } from '@annals/testkit';
import { expect, test } from 'vitest';
import { makeDataDir, removeDataDir, runCommand } from './process.ts';

const binaries = '/usr/lib/postgresql/15/bin';
const present = existsSync(join(binaries, 'initdb'));
if (!present)
  process.emitWarning(`skipped: PostgreSQL 15, the oldest supported version, is not in ${binaries}`);

test.skipIf(!present)(
  'on a PostgreSQL 15 of its own the operator makes a tenant and a key, logs, erases and purges',
  async () => {
    await using cluster = await startCluster();
    const env = { DATABASE_URL: cluster.url };
    await using annals = await startOn(cluster.url);
    const made = await runCommand(['tenants', 'create', 'acme'], { env });
    expect(made.code, made.stderr).toBe(0);
    const scopes = 'activities:write,activities:read,stats:read,privacy,retention';
    const created = await runCommand(
      ['keys', 'create', 'ops', '--tenant', 'acme', '--scopes', scopes, '--output', 'json'],
      { env },
    );
    const { secret } = JSON.parse(created.stdout) as { secret: string };
    const client = createAnnals({ url: annals.url, apiKey: secret });
    const activities = Array.from({ length: 50 }, (_, day) =>
      anActivity({
        occurredAt: new Date(Date.UTC(2026, 0, 1 + day)),
        actor: { type: 'user', id: 'usr_gone' },
      }),
    );
    expect((await client.logMany(activities)).stored).toBe(50);

    const erasure = await client.privacy.planAnonymize({ ids: ['usr_gone'] });
    const erased = await runToEnd(client, await client.privacy.applyAnonymize({ planId: erasure.id }));
    expect(erased).toMatchObject({ status: 'completed', result: { changed: 50, residual: { matches: 0 } } });
    expect(await client.count('actor:usr_gone')).toEqual({ count: 0, capped: false });

    await client.retention.setPolicies([{ name: 'invoices', keepDays: 1, actions: ['invoice.*'] }]);
    const purge = await client.retention.plan();
    const purged = await runToEnd(client, await client.retention.apply({ planId: purge.id }));
    expect(purged).toMatchObject({ status: 'completed', result: { changed: 50 } });
    expect(await client.count('action:invoice.*')).toEqual({ count: 0, capped: false });
  },
  120_000,
);

async function runToEnd(client: ReturnType<typeof createAnnals>, { id }: { id: string }) {
  for await (const job of client.jobs.watch(id)) if (job.endedAt) return job;
  throw new Error('the watch ended before the job');
}

/** PostgreSQL refuses to run as root; Debian's package brings a user for it. */
async function startCluster() {
  const folder = mkdtempSync(join(tmpdir(), 'annals-pg15-'));
  const asRoot = userInfo().uid === 0;
  const account = asRoot ? accountOf('postgres') : undefined;
  if (account) await chown(folder, account.uid, account.gid);
  await chmod(folder, 0o700);
  const data = join(folder, 'data');
  const options = { ...account, cwd: folder, stdio: 'ignore' } as const;
  execFileSync(
    join(binaries, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '-E', 'UTF8'],
    options,
  );
  const port = await freePort();
  const server = [
    '-D',
    data,
    '-w',
    '-o',
    `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`,
  ];
  execFileSync(join(binaries, 'pg_ctl'), ['start', ...server, '-l', join(folder, 'log')], options);
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    async [Symbol.asyncDispose]() {
      execFileSync(join(binaries, 'pg_ctl'), ['stop', '-D', data, '-m', 'immediate'], options);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function accountOf(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

async function startOn(databaseUrl: string) {
  const root = resolve(import.meta.dirname, '../..');
  // Of its own: a signer that remembers this log would miss it in whatever is started here next.
  const dataDir = await makeDataDir();
  const child = spawn(
    process.execPath,
    ['--conditions=@annals/source', join(root, 'services/api/src/main.ts')],
    {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: databaseUrl,
        ANNALS_DATA_DIR: dataDir,
        ANNALS_PORT: '0',
        ANNALS_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: /http:\/\/\S+/.exec(line.toString())?.[0] ?? '',
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
      await removeDataDir(dataDir);
    },
  };
}

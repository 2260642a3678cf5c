import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { appendActivities, ensureLogKey, logOrigin, type Signer, startDirectorySigner } from '@annals/core';
import { openTestCore, sequenceAll, type TestCore } from '@annals/core/testing';
import { anActivity } from '@annals/testkit';
import {
  formatPolicy,
  type Policy,
  parseNote,
  parsePolicy,
  verifierKey,
  verifyCheckpoint,
} from '@annals/tlog';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const tenantId = 'acme';
const logName = 'log.example';
const origin = logOrigin({ logName, tenantId, epoch: 1 });
const signers: Signer[] = [];
const cores: TestCore[] = [];
let folder: string;
let witness: { process: ChildProcess; stderr: string; policyLine: string };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-witness-'));
});
afterEach(async () => {
  for (const signer of signers.splice(0)) await signer.stop();
  for (const core of cores.splice(0)) await core.close();
  const ended = once(witness.process, 'exit');
  witness.process.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  await rm(folder, { recursive: true });
});

/** A database whose log is signed with the key in `dir`, which is made where there is none. */
async function openLog(dir: string) {
  const core = await openTestCore();
  cores.push(core);
  const keys = await ensureLogKey(core.services, { dir, logName });
  const key = verifierKey({
    name: origin,
    type: 'ed25519',
    publicKey: keys?.active[0]?.publicKey ?? new Uint8Array(),
  });
  return {
    key,
    grow: async (count: number) => {
      const activities = Array.from({ length: count }, () => anActivity());
      await appendActivities({ ctx: core.context({ tenantId }), input: { activities } });
      await sequenceAll(core, tenantId);
    },
    sign: async ({ witnesses }: Policy) => {
      const options = { dir, logName, connectionString: core.url, witnesses: { witnesses } as Policy };
      signers.push(await startDirectorySigner(core.services, options));
    },
    newestNote: () => newestNote(core.url),
  };
}

async function newestNote(connectionString: string): Promise<string> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ note: string }>(
      `select note from annals.checkpoint where tenant_id = '${tenantId}' order by size desc limit 1`,
    );
    return rows[0]?.note ?? '';
  } finally {
    await client.end();
  }
}

async function startWitness(policy: string): Promise<void> {
  await writeFile(join(folder, 'log.policy'), policy);
  const main = resolve(import.meta.dirname, '../../scripts/src/main.ts');
  const options = ['witness', '--policy', 'log.policy', '--port', '0'];
  const child = spawn(process.execPath, ['--conditions=@annals/source', main, ...options], { cwd: folder });
  const [greeting] = (await once(child.stdout, 'data')) as [Buffer];
  witness = {
    process: child,
    stderr: '',
    policyLine: /^ {2}(witness .*)$/m.exec(String(greeting))?.[1] ?? '',
  };
  child.stderr.on('data', (chunk: Buffer) => {
    witness.stderr += String(chunk);
  });
}

test('a witness cosigns a log as it grows, and refuses the other history of a signer that has lost its memory', async () => {
  const log = await openLog(join(folder, 'signer'));
  await startWitness(formatPolicy({ logs: [{ key: log.key }], witnesses: [], quorum: { kind: 'none' } }));
  const logLine = formatPolicy({ logs: [{ key: log.key }], witnesses: [], quorum: { kind: 'none' } }).split(
    '\n',
  )[0];
  const name = witness.policyLine.split(' ')[1];
  const policy = parsePolicy(`${logLine}\n${witness.policyLine}\nquorum ${name}\n`);

  await log.grow(5);
  await log.sign(policy);
  for (const size of [5, 12]) {
    await vi.waitFor(async () => {
      const verified = verifyCheckpoint(parseNote(await log.newestNote()), policy);
      expect(verified).toMatchObject({ checkpoint: { origin, size }, cosignatures: [{ witness: { name } }] });
    }, 10_000);
    if (size === 5) await log.grow(7);
  }

  // The same key, with neither the database nor the state of the first: it will sign anything.
  await cp(join(folder, 'signer', 'keys'), join(folder, 'forgetful', 'keys'), { recursive: true });
  const other = await openLog(join(folder, 'forgetful'));
  expect(other.key).toEqual(log.key);
  await other.grow(20);
  await other.sign(policy);
  await vi.waitFor(() => expect(witness.stderr).toContain(`Refused ${origin} at size 20 (422)`), 10_000);
  const forked = parseNote(await other.newestNote());
  expect(() => verifyCheckpoint(forked, policy)).toThrow(
    expect.objectContaining({ reason: 'quorum_missing' }),
  );
});

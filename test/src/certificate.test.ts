import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createAnnals } from '@annals/client';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnnalsProcess, makeDataDir, removeDataDir, startAnnalsProcess } from './process.ts';

let annals: AnnalsProcess;
beforeAll(async () => {
  annals = await startAnnalsProcess({
    dataDir: await makeDataDir(),
    env: { ANNALS_MANIFEST_HOURS: '0' },
  });
}, 60_000);
afterAll(async () => {
  await annals.stop();
  await removeDataDir(annals.dataDir);
});

const main = resolve(import.meta.dirname, '../../scripts/src/main.ts');

async function cli(...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['--conditions=@annals/source', main, ...args], {
    cwd: annals.dataDir,
    env: { PATH: process.env['PATH'] ?? '', ANNALS_URL: annals.url, ANNALS_API_KEY: annals.apiKey },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

/** Polls once the job has ended, since sealing and signing come by themselves. */
async function untilComplete(jobId: string) {
  const client = createAnnals(annals);
  for await (const job of client.jobs.watch(jobId)) expect(job.status).not.toBe('failed');
  for (;;) {
    const certificate = await client.privacy.certificate(jobId);
    const { requested, completed, manifests } = certificate;
    const records = [requested, completed, ...manifests.map(({ sealed }) => sealed)];
    if (records.every((record) => record?.proof)) return certificate;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('an erasure and a purge are certified, checked offline, and leave a bundle that verifies', async () => {
  const client = createAnnals(annals);
  const activities = Array.from({ length: 40 }, (_, index) =>
    anActivity({
      occurredAt: new Date(Date.UTC(2026, 1, 1) + index * 86_400_000),
      actor: { type: 'user' as const, id: index % 2 ? 'usr_gone' : 'usr_stays' },
      metadata: { index, note: index % 5 ? 'nothing' : 'asked by usr_gone' },
    }),
  );
  expect((await client.logMany(activities)).stored).toBe(40);
  const planned = await client.privacy.planAnonymize({ ids: ['usr_gone'], mode: 'pseudonymize' });
  const erasure = await client.privacy.applyAnonymize({ planId: planned.id });
  const { policy, account } = await untilComplete(erasure.id);
  expect(account).toMatchObject({ tables: { activity: { changed: 24 } }, held: 0 });
  await client.retention.setPolicies([{ name: 'winter', keepDays: 1, actions: ['invoice.*'] }]);
  const purge = await client.retention.apply({ planId: (await client.retention.plan()).id });
  expect((await untilComplete(purge.id)).account).toMatchObject({ tables: { activity: { removed: 40 } } });

  const file = (name: string) => join(annals.dataDir, name);
  await writeFile(file('policy'), policy);
  for (const { id } of [erasure, purge]) {
    expect(await cli('certificate', id, '-o', file(id))).toMatchObject({ code: 0 });
    const verify = () => cli('verify', '--certificate', file(id), '--policy', file('policy'));
    const verified = await verify();
    expect(verified, verified.output).toMatchObject({ code: 0 });
    expect(verified.output).toContain('Out of reach:');
    const text = await readFile(file(id), 'utf8');
    await writeFile(file(id), text.replace('"held": 0', '"held": 1'));
    expect((await verify()).code).toBe(7);
  }
  expect((await cli('export', '--bundle', file('bundle'))).code).toBe(0);
  const bundle = await cli('verify', file('bundle'), '--policy', file('policy'));
  expect(bundle, bundle.output).toMatchObject({ code: 0 });
}, 120_000);

import { createAnnals } from '@annals/client';
import type { Activity, ActivityInput, Job } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AnnalsProcess,
  makeDataDir,
  openSuperuser,
  removeDataDir,
  startAnnalsProcess,
} from './process.ts';

/** Enough chunks that a kill after the first ones lands in the middle. */
const count = 25_000;
const start = Date.UTC(2026, 0, 1);
/** Over two months: one will expire whole, of the other something is kept. */
const stepMs = 180_000;

// The same activities in both, ids included, so that what the two end with can be compared whole.
const activities: ActivityInput[] = Array.from({ length: count }, (_, index) => {
  const occurredAt = new Date(start + index * stepMs);
  const person = index % 3 === 0 ? 'usr_erase_me' : `usr_${index % 50}`;
  return anActivity({
    id: v7({ msecs: occurredAt.getTime(), random: seededBytes(index), seq: index }),
    occurredAt,
    actor: {
      type: 'user' as const,
      id: person,
      label: person === 'usr_erase_me' ? 'Zelda Quux' : 'Somebody',
    },
    message: index % 7 === 0 ? 'asked by usr_erase_me' : 'nothing personal',
    metadata: { index, approver: index % 11 === 0 ? 'zelda quux' : 'nobody' },
  });
});

activities.push(
  anActivity({ occurredAt: new Date(start + 1), action: 'contract.signed', message: 'kept', metadata: {} }),
);
/** Late in the first month, so that chunks come before it and after it. */
const obstacle = activities[12_000]?.id ?? '';

const dataDirs: string[] = [];
let disturbed: AnnalsProcess;
let undisturbed: AnnalsProcess;

beforeAll(async () => {
  for (let made = 0; made < 2; made += 1) dataDirs.push(await makeDataDir());
  [disturbed, undisturbed] = (await Promise.all(
    dataDirs.map((dataDir) => startAnnalsProcess({ dataDir })),
  )) as [AnnalsProcess, AnnalsProcess];
  for (const annals of [disturbed, undisturbed]) {
    const result = await createAnnals(annals).logMany(activities);
    expect(result.stored).toBe(activities.length);
  }
}, 120_000);

afterAll(async () => {
  await Promise.all([disturbed?.stop(), undisturbed?.stop()]);
  await Promise.all(dataDirs.map(removeDataDir));
}, 60_000);

test('an anonymize killed in the middle and resumed ends as one that was not disturbed', async () => {
  const { whole, resumed } = await compareRuns(beginAnonymize);
  expect(resumed.result?.counts).toEqual(whole.result?.counts);
  expect(resumed.result?.residual).toEqual({ matches: 0, places: [] });
  const after = await dump(disturbed);
  expect(after).toEqual(await dump(undisturbed));
  expect(JSON.stringify(after).toLowerCase()).not.toMatch(/usr_erase_me|zelda quux/);
}, 180_000);

test('a purge killed in the middle and resumed ends as one that was not disturbed', async () => {
  const { whole, resumed } = await compareRuns(beginPurge);
  expect(resumed.result?.counts).toEqual(whole.result?.counts);
  expect((await dump(disturbed)).filter(({ action }) => action.startsWith('invoice.'))).toEqual([]);
  expect((await dump(undisturbed)).filter(({ action }) => action.startsWith('invoice.'))).toEqual([]);
}, 180_000);

async function beginAnonymize(annals: AnnalsProcess): Promise<Job> {
  const client = createAnnals(annals);
  const plan = await client.privacy.planAnonymize({ ids: ['usr_erase_me'], identifiers: ['Zelda Quux'] });
  return client.privacy.applyAnonymize({ planId: plan.id });
}

async function beginPurge(annals: AnnalsProcess): Promise<Job> {
  const client = createAnnals(annals);
  await client.retention.setPolicies([{ name: 'invoices', keepDays: 1, actions: ['invoice.*'] }]);
  const plan = await client.retention.plan();
  expect(plan.activities).toBe(count);
  return client.retention.apply({ planId: plan.id });
}

/** Run the same job in both; kill the disturbed process once some chunks are committed, and go on. */
async function compareRuns(begin: (annals: AnnalsProcess) => Promise<Job>) {
  const wholeJob = await begin(undisturbed);
  const whole = await ended(undisturbed, wholeJob.id);
  expect(whole.status).toBe('completed');
  const release = await holdObstacle(disturbed);
  const job = await begin(disturbed);
  await release.whenReached;
  const midway = await createAnnals(disturbed).jobs.get(job.id);
  expect(midway.done).toBeGreaterThan(0);
  expect(midway.done).toBeLessThan(midway.total);
  await disturbed.kill();
  await release.letGo();
  disturbed = await startAnnalsProcess({ dataDir: disturbed.dataDir });
  // By itself it would go on after a while; where that was quicker, there is nothing to resume.
  await createAnnals(disturbed)
    .jobs.resume(job.id)
    .catch((error: unknown) => expect(error).toMatchObject({ code: 'job_ended' }));
  const resumed = await ended(disturbed, job.id);
  expect(resumed.status).toBe('completed');
  return { whole, resumed };
}

/** Hold one record as the superuser, so that the job stops in the middle, before the chunk that has it. */
async function holdObstacle({ dataDir }: AnnalsProcess) {
  const database = await openSuperuser(dataDir);
  await database.query('begin');
  await database.query('select from annals.activity where id = $1 for update', [obstacle]);
  const reached = async () => {
    for (;;) {
      const { rowCount } = await database.query(
        `select from pg_locks where locktype = 'transactionid' and not granted`,
      );
      if (rowCount) return;
    }
  };
  return { whenReached: reached(), letGo: () => database.end() };
}

async function ended(annals: AnnalsProcess, jobId: string): Promise<Job> {
  return watchUntil(annals, jobId, ({ endedAt }) => endedAt !== undefined);
}

async function watchUntil(annals: AnnalsProcess, jobId: string, enough: (job: Job) => boolean): Promise<Job> {
  const client = createAnnals(annals);
  for (;;) {
    const job = await client.jobs.get(jobId);
    if (enough(job)) return job;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Everything but what must differ between two runs: when it was recorded, and Annals' own records. */
async function dump(annals: AnnalsProcess): Promise<Omit<Activity, 'recordedAt'>[]> {
  const found: Omit<Activity, 'recordedAt'>[] = [];
  const query = '-action:erasure.* -action:retention.* -action:annals.*';
  for await (const { recordedAt: _, ...activity } of createAnnals(annals).list(query, { order: 'oldest' })) {
    found.push(activity);
  }
  return found;
}

function seededBytes(seed: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, index) => (seed * 31 + index * 17) & 0xff);
}

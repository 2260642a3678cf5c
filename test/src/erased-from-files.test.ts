import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createAnnals } from '@annals/client';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AnnalsProcess,
  makeDataDir,
  openSuperuser,
  removeDataDir,
  startAnnalsProcess,
} from './process.ts';

/** Texts that occur nowhere else, whatever their case. */
const id = 'usr_7f3kq9canary';
const email = 'Quilla.Canary@example.org';
const name = 'Quilla Xanthe Canary';
const ip = '198.51.100.217';
const canaries = [id, email, name, ip];

let annals: AnnalsProcess;

beforeAll(async () => {
  annals = await startAnnalsProcess({ dataDir: await makeDataDir() });
  const log = createAnnals(annals);
  const person = { type: 'user' as const, id, label: name };
  const places = [
    { actor: person, context: { ip, userAgent: `App/1 (${email})` } },
    { subject: { id }, message: `mail to ${email.toUpperCase()} bounced` },
    { target: { type: 'user', id, label: name }, reason: `asked by ${name}` },
    { metadata: { approver: { email, names: ['somebody', name] }, [email]: true, note: `see user:${id}` } },
    { tags: ['audit', id], channel: email, source: `import ${id}` },
    {
      kind: 'data_change' as const,
      details: { resource: 'user', recordId: id, before: { email }, after: { email: 'x@example.org' } },
    },
  ];
  const activities = Array.from({ length: 600 }, (_, index) =>
    anActivity({
      occurredAt: new Date(Date.UTC(2026, 2, 1) + index * 3_600_000),
      message: 'nothing personal',
      ...places[index % places.length],
    }),
  );
  expect((await log.logMany(activities)).stored).toBe(600);
}, 60_000);

afterAll(async () => {
  await annals?.stop();
  await removeDataDir(annals.dataDir);
}, 60_000);

test('after an anonymize nothing names the person, in tables, indexes, statistics or their files', async () => {
  const database = await openSuperuser(annals.dataDir);
  // Sampled, so that there is something in the planner's statistics to be rid of.
  await database.query('analyze');
  await database.query('checkpoint');
  expect(filesWith(email).length).toBeGreaterThan(0);
  const statistics = `select count(*)::int as n from pg_stats
    where concat(most_common_vals::text, histogram_bounds::text) ilike '%canary%'`;
  expect((await database.query<{ n: number }>(statistics)).rows[0]?.n).toBeGreaterThan(0);

  const client = createAnnals(annals);
  const plan = await client.privacy.planAnonymize({ ids: [id], identifiers: [email, name, ip] });
  expect(plan.activities).toBe(600);
  const { id: jobId } = await client.privacy.applyAnonymize({ planId: plan.id });
  for await (const job of client.jobs.watch(jobId)) {
    if (job.endedAt) expect(job, annals.log()).toMatchObject({ status: 'completed' });
    if (job.endedAt) expect(job.result?.residual).toEqual({ matches: 0, places: [] });
  }

  expect((await database.query<{ n: number }>(statistics)).rows[0]?.n).toBe(0);
  expect(await tablesWith(database)).toEqual([]);
  // Replaced rows stay in the files until they are vacuumed; catalogs hold the old statistics likewise.
  await database.query('vacuum full');
  await database.query('checkpoint');
  await database.end();
  expect(await annals.stop()).toBe(0);
  // The write-ahead log is the one place left: it holds what was written until it is recycled or archived.
  for (const canary of canaries) {
    expect(filesWith(canary).filter((file) => !file.startsWith('pg_wal/'))).toEqual([]);
  }
}, 120_000);

/** Tables of any schema with a row whose text holds a canary. */
async function tablesWith(database: Awaited<ReturnType<typeof openSuperuser>>): Promise<string[]> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname in ('annals', 'graphile_worker')`,
  );
  const found: string[] = [];
  for (const { name: table } of tables) {
    const { rows } = await database.query(
      `select 1 from ${table} t where t::text ilike any ($1::text[]) limit 1`,
      [canaries.map((canary) => `%${canary}%`)],
    );
    if (rows.length > 0) found.push(table);
  }
  return found;
}

/** Files of the cluster whose bytes hold the text, in either case. */
function filesWith(text: string): string[] {
  const cluster = join(annals.dataDir, 'postgres');
  const forms = [text, text.toLowerCase(), text.toUpperCase()].map((form) => Buffer.from(form));
  return readdirSync(cluster, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const bytes = readFileSync(file);
      return forms.some((form) => bytes.includes(form));
    })
    .map((file) => relative(cluster, file));
}

import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createAnnals } from '@annals/client';
import type { Activity } from '@annals/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnnalsProcess, makeDataDir, removeDataDir, runCommand, startAnnalsProcess } from './process.ts';

const folder = resolve(import.meta.dirname, '../../../shared/real-audit');
const present = existsSync(folder);
const files = [
  { format: 'cloudtrail', name: 'aws_cloudtrail.ndjson' },
  { format: 'github', name: 'github.ndjson' },
  { format: 'okta', name: 'okta.ndjson' },
  { format: 'gsuite', name: 'gsuite_activityevent.ndjson' },
].map((file) => ({ ...file, path: join(folder, file.name) }));

interface FileTotals {
  readonly lines: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: number;
}

if (!present) process.emitWarning(`skipped: ${folder} is not there, so real audit events cannot be imported`);

/** Audit events of real systems, imported by the command over HTTP, and what an auditor asks of them. */
describe.skipIf(!present)('real audit events', () => {
  let annals: AnnalsProcess;
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'annals-real-'));
    annals = await startAnnalsProcess({ dataDir: await makeDataDir() });
  }, 60_000);

  afterAll(async () => {
    await annals?.stop();
    await removeDataDir(annals.dataDir);
    await rm(scratch, { recursive: true, force: true });
  }, 60_000);

  const importFile = async (file: (typeof files)[number]): Promise<FileTotals> => {
    const rejects = join(scratch, `${file.format}.rejects.ndjson`);
    const args = ['import', '--output', 'json', '--format', file.format, '--rejects', rejects, file.path];
    const { stdout, stderr, code } = await runCommand(args, { annals });
    const { total } = JSON.parse(stdout) as { total: FileTotals };
    expect(code, stderr).toBe(total.refused === 0 ? 0 : 1);
    const rejected = (await readFile(rejects, 'utf8')).split('\n').filter((line) => line !== '');
    expect(rejected.length).toBe(total.refused);
    for (const line of rejected) {
      const { line: number, message } = JSON.parse(line) as { line: number; message: string };
      expect(number).toBeGreaterThan(0);
      expect(message).not.toBe('');
    }
    return total;
  };

  test('every line of every file ends as stored, duplicate or refused, and again stores nothing', async () => {
    for (const file of files) {
      const lines = linesOf(file.path);
      const first = await importFile(file);
      expect(first.lines).toBe(lines.length);
      expect(first.stored + first.duplicates + first.refused).toBe(first.lines);
      // Identical lines are one event.
      expect(first.stored).toBeLessThanOrEqual(new Set(lines).size);
      expect(first.stored).toBeGreaterThan(lines.length / 3);
      const again = await importFile(file);
      expect(again).toEqual({ ...first, stored: 0, duplicates: first.stored + first.duplicates });
    }
  }, 120_000);

  test('failed logins by actor in a week', async () => {
    const week = { from: new Date('2022-06-20T00:00:00Z'), to: new Date('2022-06-27T00:00:00Z') };
    const { rows } = await createAnnals(annals).stats({
      filter: { ...week, kind: 'auth', outcome: ['failure', 'denied'] },
      groupBy: ['actor'],
    });
    const expected = new Map<string, number>();
    for (const line of new Set(linesOf(files[2]?.path ?? ''))) {
      const event = JSON.parse(line) as OktaEvent;
      const type = event.eventtype ?? event.eventType ?? '';
      const failed = ['FAILURE', 'DENY'].includes(event.outcome?.result ?? '');
      if (
        !event.published?.startsWith('2022-06-2') ||
        !failed ||
        !/^user\.(session|authentication)\./.test(type)
      )
        continue;
      const actor = event.actor?.id ?? '';
      expected.set(actor, (expected.get(actor) ?? 0) + 1);
    }
    expect(expected.size).toBeGreaterThan(0);
    expect(new Map(rows.map(({ group, count }) => [group.actor, count]))).toEqual(expected);
  });

  test('all that touched one repository, oldest first', async () => {
    const found = await collect(createAnnals(annals).list('target:my-org/my-repo', { order: 'oldest' }));
    expect(found.length).toBeGreaterThan(3);
    expect(found.every(({ target }) => target?.id === 'my-org/my-repo')).toBe(true);
    const times = found.map(({ occurredAt }) => occurredAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('denied CloudTrail calls by action', async () => {
    const { rows } = await createAnnals(annals).stats({
      query: 'action:aws.* outcome:denied',
      groupBy: ['action'],
    });
    const denied = linesOf(files[0]?.path ?? '').filter((line) => {
      const { errorCode } = JSON.parse(line) as { errorCode?: string };
      return /AccessDenied|Unauthorized/.test(errorCode ?? '');
    });
    const total = rows.reduce((sum, { count }) => sum + count, 0);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThanOrEqual(denied.length);
    const bucketAcl = new Set(denied.filter((line) => line.includes('"eventName": "PutBucketAcl"'))).size;
    expect(rows.find(({ group }) => group.action === 'aws.s3.put_bucket_acl')?.count).toBe(bucketAcl);
  });

  test('a text is found in labels, messages and metadata, whatever its case', async () => {
    const lower = await collect(createAnnals(annals).list('homer'));
    const upper = await collect(createAnnals(annals).list('HOMER'));
    expect(lower.length).toBeGreaterThan(0);
    expect(upper.map(({ id }) => id)).toEqual(lower.map(({ id }) => id));
    for (const activity of lower) expect(JSON.stringify(activity).toLowerCase()).toContain('homer');
  });

  test('stats by day in Europe/Berlin begin at midnight there, on both sides of each change of the clocks', async () => {
    const client = createAnnals(annals);
    const { rows, truncated } = await client.stats({
      query: '-action:annals.*',
      interval: 'day',
      timeZone: 'Europe/Berlin',
    });
    expect(truncated).toBe(false);
    const offsets = new Set(rows.map(({ from }) => from?.getUTCHours()));
    expect(offsets).toEqual(new Set([22, 23]));
    const byDay = new Map<string, number>();
    for (const { occurredAt } of await collect(client.list('-action:annals.*'))) {
      byDay.set(berlinDay(occurredAt), (byDay.get(berlinDay(occurredAt)) ?? 0) + 1);
    }
    expect(new Map(rows.map(({ from, count }) => [berlinDay(from ?? new Date(0)), count]))).toEqual(byDay);
  });

  test('an export that is imported again is the same records', async () => {
    const exported = await runCommand(['export', '--query', '-action:annals.*'], { annals });
    expect(exported.code, exported.stderr).toBe(0);
    const again = await runCommand(['import', '--output', 'json', '--format', 'annals', '-'], {
      annals,
      input: exported.stdout,
    });
    const { total } = JSON.parse(again.stdout) as { total: FileTotals };
    expect(total).toMatchObject({
      stored: 0,
      refused: 0,
      duplicates: exported.stdout.trim().split('\n').length,
    });
  }, 60_000);

  test('a person in labels, free text and metadata is anonymized by the command, and nothing names them', async () => {
    const client = createAnnals(annals);
    const before = await collect(client.list('homer'));
    const person = before.find(
      ({ actor }) => actor.id !== undefined && /homer/i.test(actor.label ?? ''),
    )?.actor;
    const names = namesIn(before, /homer[\w.@+-]*(?: simpsons?)?/gi);
    const args = ['anonymize', person?.id ?? '', ...names.flatMap((name) => ['--identifier', name])];
    const plan = await runCommand(args, { annals });
    expect(plan.code, plan.stderr).toBe(0);
    expect((await collect(client.list('homer'))).length).toBe(before.length);
    const done = await runCommand([...args, '--apply', '--confirm', person?.id ?? ''], { annals });
    expect(done.code, done.stderr + done.stdout).toBe(0);
    const rest = await collect(client.list(''));
    for (const activity of rest) {
      const text = JSON.stringify(activity).toLowerCase();
      for (const name of names) expect(text, activity.id).not.toContain(name.toLowerCase());
    }
    expect(rest.some(({ erased }) => erased?.some((field) => field.startsWith('metadata')))).toBe(true);
  }, 60_000);
});

interface OktaEvent {
  readonly published?: string;
  readonly eventType?: string;
  readonly eventtype?: string;
  readonly outcome?: { readonly result?: string };
  readonly actor?: { readonly id?: string };
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

function namesIn(activities: readonly Activity[], pattern: RegExp): string[] {
  return [...new Set(activities.flatMap((activity) => JSON.stringify(activity).match(pattern) ?? []))];
}

const berlin = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin', dateStyle: 'short' });

function berlinDay(moment: Date): string {
  return berlin.format(moment);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

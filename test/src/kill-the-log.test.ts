import { createAnnals } from '@annals/client';
import type { ActivityInput, Job } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { decodeBase64, parseCheckpoint, parseNote, type Receipt } from '@annals/tlog';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Hold, hold, letGoOfAll, until } from './kill-the-log/hold.ts';
import { openSharedDatabase, type SharedDatabase, tenantId } from './kill-the-log/shared-database.ts';
import { type AnnalsProcess, runCommand } from './process.ts';

let shared: SharedDatabase;
/** The one that is killed next. */
let annals: AnnalsProcess;
const receipts: Receipt[] = [];

beforeAll(async () => {
  shared = await openSharedDatabase();
  annals = await shared.start();
  // Two chunks of a job, with something to find in each.
  await append(1_400);
  await settled();
}, 120_000);
afterEach(letGoOfAll);
afterAll(() => shared?.close(), 60_000);

const person = 'usr_erase_me';
let made = 0;

/** In 2024 a month of which nothing is to stay, in 2025 one of which something is. */
function activities(count: number, years: readonly number[]): ActivityInput[] {
  return Array.from({ length: count }, () => {
    const n = made++;
    const year = years[n % years.length] ?? 2025;
    return anActivity({
      occurredAt: new Date(Date.UTC(year, 4, 1) + n * 1_000),
      action: year === 2025 && n % 5 === 1 ? 'contract.signed' : 'invoice.voided',
      actor: { type: 'user' as const, id: n % 3 === 0 ? person : `usr_${n % 7}`, label: 'Somebody' },
      metadata: { n, email: `${n}@example.com` },
    });
  });
}

async function append(count: number, years = [2024, 2025]): Promise<void> {
  for (let at = 0; at < count; at += 1_000) {
    const { results } = await createAnnals(annals).logMany(activities(Math.min(1_000, count - at), years));
    for (const result of results) {
      if (result.status !== 'stored') expect.fail(JSON.stringify(result));
      const { batchId, position, leaf, id } = result;
      receipts.push({ tenantId, batchId, position, leaf: decodeBase64(leaf), id });
    }
  }
}

interface Left {
  readonly unsequenced: number;
  readonly unsigned: number;
  readonly unsealed: number;
  readonly running: number;
}

/** Wait until nothing is left to do, neither for those that were killed nor for who took over. */
async function settled(): Promise<void> {
  await until('everything is sequenced, signed and sealed', async () => {
    const { rows } = await shared.admin().query<Left>(`
      select
        (select count(*) from annals.batch where first_index is null)::int as unsequenced,
        (select count(*) from annals.find_unsigned(10))::int as unsigned,
        (select count(*) from annals.manifest where sealed_at is null)::int as unsealed,
        (select count(*) from annals.job where status in ('queued', 'running'))::int as running`);
    return Object.values(rows[0] ?? {}).every((left) => left === 0);
  });
}

/**
 * While the process waits for a lock, kill it. Another one, which may stand by already, takes over; then all that
 * was committed is sequenced, signed and explained, and what was published or promised before still holds.
 */
async function killWhile(
  held: Hold,
  { statement, standby = true, resume }: { statement: string; standby?: boolean; resume?: Job },
): Promise<void> {
  await held.whenReached(statement);
  const next = standby ? await shared.start() : undefined;
  await annals.kill();
  await held.letGo();
  annals = next ?? (await shared.start());
  // By itself it would go on after a while; where that was quicker, there is nothing to resume.
  if (resume) {
    await createAnnals(annals)
      .jobs.resume(resume.id)
      .catch((error: unknown) => expect(error).toMatchObject({ code: 'job_ended' }));
  }
  await settled();
  await expectSound();
}

async function expectSound(): Promise<void> {
  const notes = await shared.seeCheckpoints();
  const report = await shared.audit({ notes, receipts });
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({
    verdict: 'valid',
    counts: { unexplained: 0, pending: 0 },
    receipts: { checked: receipts.length, found: receipts.length },
    heldCheckpoints: notes.length,
  });
}

describe('a process killed while it sequences,', () => {
  test('before it stores tiles, leaves its work to the other', async () => {
    const tiles = await hold(shared.url, 'lock table annals.tile in share mode');
    await append(300);
    await killWhile(tiles, { statement: 'insert into annals.tile' });
  }, 120_000);

  test('before it gives the batches their places, leaves its work to the other', async () => {
    const claim = await hold(shared.url, 'lock table annals.log in exclusive mode');
    await append(20);
    await claim.whenReached('for update skip locked');
    const rows = 'select from annals.batch where first_index is null for update';
    const batches = await hold(shared.url, rows);
    await claim.letGo();
    await killWhile(batches, { statement: 'update annals.batch' });
  }, 120_000);

  test('before it moves the log on, leaves its work to the other', async () => {
    const log = await hold(shared.url, 'lock table annals.log in share mode');
    await append(20);
    await killWhile(log, { statement: 'update annals.log' });
  }, 120_000);
});

describe('a process killed while it signs,', () => {
  test('before it remembers what it signs, leaves its work to the next', async () => {
    const read = await hold(shared.url, 'lock table annals.checkpoint in access exclusive mode');
    await append(5);
    // Whoever starts looks at the checkpoints, too.
    await killWhile(read, { statement: 'annals.find_', standby: false });
  }, 120_000);

  test('after it remembers what it signs and before anybody sees it, leaves its work to the other', async () => {
    const insert = await hold(shared.url, 'lock table annals.checkpoint in share mode');
    await append(20);
    await killWhile(insert, { statement: 'insert into annals.checkpoint' });
  }, 120_000);
});

async function anonymize(id = person): Promise<Job> {
  const client = createAnnals(annals);
  const plan = await client.privacy.planAnonymize({ ids: [id] });
  return client.privacy.applyAnonymize({ planId: plan.id });
}

async function redact(field: string): Promise<Job> {
  const client = createAnnals(annals);
  const plan = await client.privacy.planRedact({ query: 'action:invoice.*', fields: [field] });
  return client.privacy.applyRedact({ planId: plan.id });
}

/** Hold a record of the second chunk of a job that walks all, so that the first is committed when it is met. */
async function holdObstacle(): Promise<Hold> {
  const { rows } = await shared.admin().query<{ id: string }>(
    `select id from annals.activity where tenant_id = $1 and not own and action like 'invoice.%'
      and actor_id = $2 order by occurred_at desc, id desc limit 1`,
    [tenantId, person],
  );
  return hold(shared.url, 'select from annals.activity where id = $1 for update', [rows[0]?.id]);
}

describe('a process killed while it erases,', () => {
  test('between two chunks, leaves the rest to the other', async () => {
    const obstacle = await holdObstacle();
    const resume = await redact('metadata.email');
    await killWhile(obstacle, { statement: 'for update', resume });
  }, 120_000);

  test('before it lists what has gone, leaves it to the other', async () => {
    const items = await hold(shared.url, 'lock table annals.erasure_item in share mode');
    const resume = await redact('message');
    await killWhile(items, { statement: 'insert into annals.erasure_item', resume });
  }, 120_000);

  test('before it records the end, leaves it to the other', async () => {
    const obstacle = await holdObstacle();
    const resume = await redact('context.ip');
    await obstacle.whenReached('for update');
    const plan = await hold(shared.url, 'lock table annals.plan in share mode');
    await obstacle.letGo();
    await killWhile(plan, { statement: 'update "annals"."plan"', resume });
  }, 120_000);
});

describe('a process killed while it seals a manifest,', () => {
  test('before it fixes the items, leaves it to the next', async () => {
    const obstacle = await holdObstacle();
    const resume = await redact('target.label');
    await obstacle.whenReached('for update');
    // Does not hinder those who add to it.
    const open = 'select from annals.manifest where sealed_at is null for key share';
    const manifest = await hold(shared.url, open);
    await obstacle.letGo();
    await killWhile(manifest, { statement: 'for update', standby: false, resume });
  }, 120_000);

  test('after it put the root into a record, leaves it to the next', async () => {
    const obstacle = await holdObstacle();
    const resume = await redact('context.userAgent');
    await obstacle.whenReached('for update');
    const manifest = await hold(shared.url, 'lock table annals.manifest in share mode');
    await obstacle.letGo();
    await killWhile(manifest, { statement: 'update "annals"."manifest"', standby: false, resume });
  }, 120_000);
});

test('a process killed while it anonymizes leaves it to the other', async () => {
  const obstacle = await holdObstacle();
  const resume = await anonymize();
  await killWhile(obstacle, { statement: 'for update', resume });
}, 120_000);

async function purge(): Promise<Job> {
  const client = createAnnals(annals);
  await client.retention.setPolicies([{ name: 'old', keepDays: 30, actions: ['invoice.*'] }]);
  const plan = await client.retention.plan();
  return client.retention.apply({ planId: plan.id });
}

describe('a process killed while it purges,', () => {
  test('before it drops a month whole, leaves it to the next', async () => {
    const writer = await hold(shared.url, 'lock table annals.activity in row exclusive mode');
    const resume = await purge();
    // It waits for a moment only.
    await killWhile(writer, { statement: 'drop_activity_partition', standby: false, resume });
  }, 120_000);

  test('before it lists what has gone, leaves it to the other', async () => {
    await append(60, [2025]);
    const items = await hold(shared.url, 'lock table annals.purge_item in share mode');
    const resume = await purge();
    await killWhile(items, { statement: 'delete from annals.activity', resume });
  }, 120_000);
});

test('a database restored to an earlier state is served and not signed, until a new epoch is opened', async () => {
  await append(30);
  await settled();
  await annals.stop();
  const early = [...receipts];
  const restore = await shared.backUp();
  annals = await shared.start();
  await append(40);
  await settled();
  const notes = await shared.seeCheckpoints();
  await annals.stop();
  await restore();
  annals = await shared.start();
  receipts.splice(0, receipts.length, ...early);

  await until('the signer refuses', async () =>
    (await text('/readyz')).includes('contradict what was signed'),
  );
  expect(await text('/readyz')).toMatch(/^ready\nwarning: /);
  expect(await text('/metrics')).toMatch(/^annals_signer_refused_logs 1$/m);
  await append(7);
  for await (const { action } of createAnnals(annals).list('action:contract.*'))
    expect(action).toBe('contract.signed');
  const env = { DATABASE_URL: shared.url, ANNALS_SIGNER_DIR: shared.signerDir };
  const listed = await runCommand(['log-key', 'new-epoch', '--output', 'json'], { env });
  expect([listed.code, JSON.parse(listed.stdout)]).toEqual([7, [expect.objectContaining({ tenantId })]]);

  const opened = await runCommand(['log-key', 'new-epoch', '--open', tenantId, '--confirm', tenantId], {
    env,
  });
  expect(opened).toMatchObject({ code: 0 });
  await settled();
  await until('the alarm is over', async () => (await text('/readyz')) === 'ready');
  expect(await text('/metrics')).toMatch(/^annals_signer_refused_logs 0$/m);
  await append(5);
  await settled();
  const kept = await shared.seeCheckpoints();
  // What was published before the restore is not forgotten: no other tree of that size was ever signed.
  for (const note of notes) expect(kept).toContain(note);
  const [first, second] = (await shared.audit({ notes: [], receipts })).logs;
  expect([first?.epoch, second?.epoch]).toEqual([1, 2]);
  const held = kept.filter((note) => !isLost(note, first?.size ?? 0));
  expect(held.length).toBeLessThan(kept.length);
  const report = await shared.audit({ notes: held, receipts });
  expect(report).toMatchObject({
    verdict: 'valid',
    counts: { unexplained: 0 },
    findings: [{ code: 'entries_lost', severity: 'notice' }],
    receipts: { missing: 0, newer: 0 },
  });
}, 120_000);

function isLost(note: string, size: number): boolean {
  const checkpoint = parseCheckpoint(parseNote(note).text);
  return checkpoint.origin.endsWith(`/${tenantId}`) && checkpoint.size > size;
}

async function text(path: string): Promise<string> {
  return (await fetch(`${annals.url}${path}`)).text();
}

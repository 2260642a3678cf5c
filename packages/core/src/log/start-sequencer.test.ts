import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendActivities } from '../activity/append.ts';
import type { Services } from '../context.ts';
import { createWaiter } from '../database/create-waiter.ts';
import { readinessWarnings } from '../health.ts';
import { openTestPair, sequenceAll, type TestCore, type TestPair } from '../testing.ts';
import { newestLog } from './newest-log.ts';
import { sequencingLag } from './sequencing-lag.ts';
import { startSequencer } from './start-sequencer.ts';
import { commitLeaves, expectSound, type Stored } from './testing-batches.ts';

let pair: TestPair;
let core: TestCore;
let other: Services;
let admin: Client;
beforeAll(async () => {
  pair = await openTestPair();
  ({ core, other, admin } = pair);
});
afterAll(() => pair.close());

/** Only a signal wakes it. */
const hourMs = 3_600_000;

async function untilSize(tenantId: string, size: number): Promise<void> {
  const waiter = createWaiter(core.services.db.signals, 'annals_log');
  for (;;) {
    const log = await core.services.db.transaction(tenantId, newestLog);
    if (log?.size === size) return waiter.end();
    await waiter.wait(50);
  }
}

test('the lag is the age of the oldest batch that has no place, and is told when it is long', async () => {
  const { services, clock } = core;
  expect(await sequencingLag(services)).toBe(0);
  const contexts = [core.context(), core.context()];
  for (const ctx of contexts) {
    await appendActivities({ ctx, input: { activities: [anActivity()] } });
    clock.advance(6_000);
  }
  expect(await sequencingLag(services)).toBe(12_000);
  expect(await readinessWarnings(services)).toEqual([expect.stringContaining('waited 12 s')]);
  await sequenceAll(core, contexts[0]?.tenantId ?? '');
  expect(await sequencingLag(services)).toBe(6_000);
  expect(await readinessWarnings(services)).toEqual([]);
  await sequenceAll(core, contexts[1]?.tenantId ?? '');
  expect(await sequencingLag(services)).toBe(0);
});

test('what is there at the start and what comes later is sequenced, woken by the commit', async () => {
  const ctx = core.context();
  await appendActivities({ ctx, input: { activities: [anActivity()] } });
  const sequencer = startSequencer(core.services, { pollMs: hourMs });
  await untilSize(ctx.tenantId, 1);
  await appendActivities({ ctx, input: { activities: [anActivity(), anActivity()] } });
  await untilSize(ctx.tenantId, 3);
  await sequencer.stop();
});

test('a commit of another process wakes it', async () => {
  const ctx = core.context();
  const sequencer = startSequencer(other, { pollMs: hourMs });
  for (let size = 1; size <= 3; size += 1) {
    await appendActivities({ ctx, input: { activities: [anActivity()] } });
    await untilSize(ctx.tenantId, size);
  }
  await sequencer.stop();
});

test('without a signal it finds what is there by itself', async () => {
  const { tenantId } = core.context();
  const deaf = { ...other.db, signals: { ...other.db.signals, on: () => () => undefined } };
  const sequencer = startSequencer({ ...other, db: deaf }, { pollMs: 10 });
  await commitLeaves(core, { tenantId, count: 3, stored: new Map() });
  await untilSize(tenantId, 3);
  await sequencer.stop();
});

test('two processes bring the batches of many tenants into their logs, each once', async () => {
  const sequencers = [startSequencer(core.services), startSequencer(other)];
  const tenants = Array.from({ length: 6 }, () => ({
    tenantId: core.context().tenantId,
    stored: new Map() as Stored,
  }));
  const counts = [1, 300, 20, 256, 7, 40];
  await Promise.all(
    tenants.map(async (tenant) => {
      for (const count of counts) await commitLeaves(core, { ...tenant, count });
    }),
  );
  for (const { tenantId } of tenants) await untilSize(tenantId, 624);
  await Promise.all(sequencers.map((sequencer) => sequencer.stop()));
  for (const { tenantId, stored } of tenants) await expectSound(core, tenantId, stored);
});

test('a log that contradicts itself stands still and is reported, and the others go on', async () => {
  const [bad, good] = [core.context().tenantId, core.context().tenantId];
  const stored: Stored = new Map();
  await commitLeaves(core, { tenantId: bad, count: 5, stored });
  const [batchId] = stored.keys();
  await admin.query('update annals.batch set root = sha256(root) where id = $1', [batchId]);
  const told: object[] = [];
  const log = { ...core.services.log, error: (fields: object) => void told.push(fields) };
  const sequencer = startSequencer({ ...core.services, log }, { pollMs: 1 });
  for (let size = 1; size <= 3; size += 1) {
    await commitLeaves(core, { tenantId: good, count: 1, stored: new Map() });
    await untilSize(good, size);
  }
  await sequencer.stop();
  // Once, although it was looked for many times.
  expect(told).toEqual([{ tenantId: bad, batchId, reason: 'the leaves of a batch have another root' }]);
  const { rows } = await admin.query('select 1 from annals.log where tenant_id = $1', [bad]);
  expect(rows).toEqual([]);
  await admin.query('delete from annals.batch where id = $1', [batchId]);
});

/** Those of both processes, none of which has anything in hand but the sequencer. */
async function cutConnections(): Promise<void> {
  await admin.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = current_database() and application_name like 'annals %'`,
  );
  // Until this process has seen that its own were cut.
  for (let answered = false; !answered; ) {
    const asked = Array.from({ length: 4 }, () =>
      core.services.db.transaction('t', (tx) => tx.query(sql`select 1`)),
    );
    answered = (await Promise.allSettled(asked)).every(({ status }) => status === 'fulfilled');
  }
}

test('it goes on when the database has cut its connections', async () => {
  const { tenantId } = core.context();
  const stored: Stored = new Map();
  const sequencer = startSequencer(other);
  await commitLeaves(core, { tenantId, count: 4, stored });
  await untilSize(tenantId, 4);
  await cutConnections();
  await commitLeaves(core, { tenantId, count: 4, stored });
  await untilSize(tenantId, 8);
  await sequencer.stop();
  await expectSound(core, tenantId, stored);
});

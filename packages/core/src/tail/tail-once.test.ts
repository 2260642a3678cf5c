import { AnnalsError } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendActivities } from '../activity/append.ts';
import type { Context, Services } from '../context.ts';
import { startSequencer } from '../log/start-sequencer.ts';
import { openTestPair, type TestCore, type TestPair } from '../testing.ts';
import { idsInLog, idsOf, openTail } from './testing.ts';

let pair: TestPair;
let core: TestCore;
let other: Services;
let admin: Client;
beforeAll(async () => {
  pair = await openTestPair();
  ({ core, other, admin } = pair);
});
afterAll(() => pair.close());

/** Again, as a client would, until it is answered: a connection was cut under it. */
async function untilAnswered<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AnnalsError) || error.code !== 'unavailable') throw error;
    }
  }
}

interface Write {
  readonly count: number;
  /** Cut all connections of both processes behind it. */
  readonly cut: boolean;
}

async function write(ctx: Context, writes: readonly Write[]): Promise<void> {
  for (const { count, cut } of writes) {
    const activities = Array.from({ length: count }, () => anActivity());
    await untilAnswered(() => appendActivities({ ctx, input: { activities } }));
    if (!cut) continue;
    await admin.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and application_name like 'annals %'`,
    );
  }
}

/** Read until so much was told, and begin anew behind the last cursor after so many events, or a failure. */
async function readAll(contexts: readonly Context[], total: number, patience: readonly number[]) {
  const told: string[] = [];
  let cursor: string | undefined;
  for (let turn = 0; told.length < total; turn += 1) {
    const ctx = contexts[turn % contexts.length] as Context;
    await untilAnswered(async () => {
      const tail = await openTail(ctx, cursor === undefined ? { from: 'start' } : { lastEventId: cursor });
      try {
        for (let events = patience[turn % patience.length] ?? 1; ; events -= 1) {
          told.push(...idsOf(tail.told.splice(0)));
          cursor = tail.cursor();
          if (events === 0 || told.length >= total) break;
          await tail.next();
        }
      } finally {
        await tail.end();
      }
    });
  }
  return told;
}

const writes = fc.array(
  fc.record({ count: fc.integer({ min: 1, max: 200 }), cut: fc.nat(3).map((chance) => chance === 0) }),
  { minLength: 4, maxLength: 10 },
);
const patiences = fc.array(fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }), {
  minLength: 3,
  maxLength: 3,
});

test('with two sequencers, cut connections and readers that come and go, each is told all once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(writes, patiences, async (written, readers) => {
      const { tenantId } = core.context();
      const contexts = [core.context({ tenantId }), { ...core.context({ tenantId }), db: other.db }];
      const sequencers = contexts.map((services) => startSequencer(services, { pollMs: 20 }));
      const total = written.reduce((sum, { count }) => sum + count, 0);
      try {
        const reading = readers.map((patience) => readAll(contexts, total, patience));
        await write(core.context({ tenantId }), written);
        const all = await Promise.all(reading);
        const inLog = await untilAnswered(() => idsInLog(core.context({ tenantId })));
        expect(inLog).toHaveLength(total);
        for (const told of all) expect(told).toEqual(inLog);
      } finally {
        await Promise.all(sequencers.map((sequencer) => sequencer.stop()));
      }
    }),
    { numRuns: 6, endOnFailure: true },
  );
}, 60_000);

test('a tail whose signals are lost finds what is new by itself', async () => {
  const ctx = core.context();
  const deaf = { ...ctx, db: { ...other.db, signals: { ...other.db.signals, on: () => () => undefined } } };
  const tail = await openTail(deaf);
  const sequencer = startSequencer(ctx);
  const { id } = anActivity();
  await appendActivities({ ctx, input: { activities: [{ ...anActivity(), id, occurredAt: undefined }] } });
  expect(idsOf(await tail.until(1))).toEqual([id]);
  await tail.end();
  await sequencer.stop();
});

import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context, Services } from '../context.ts';
import { type Inspection, inspect, seed } from '../job/testing.ts';
import { planRedact } from '../privacy/plan-redact.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { listHolds } from './list-holds.ts';
import { hold, redact, run } from './testing.ts';

let core: TestCore;
let inspection: Inspection;
beforeAll(async () => {
  core = await openTestCore();
  inspection = await inspect(core);
});
afterAll(async () => {
  await inspection.close();
  await core.close();
});

/** Services whose transactions of one role do something more before each commit. */
function beforeCommit(role: 'app' | 'custodian', more: () => Promise<void>): Services {
  const { db } = core.services;
  const transaction: typeof db.transaction = (tenantId, work, options) => {
    if ((options?.role ?? 'app') !== role) return db.transaction(tenantId, work, options);
    const longer: typeof work = async (tx) => {
      const result = await work(tx);
      await more();
      return result;
    };
    return db.transaction(tenantId, longer, options);
  };
  return { ...core.services, db: { ...db, transaction } };
}

/** Until somebody waits for the lock, as the database sees it. */
async function untilSomebodyWaits(): Promise<void> {
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`;
  while ((await inspection.query(waiting)).length === 0);
}

const messages = async (ctx: Context) => (await inspection.rows(ctx.tenantId)).map((row) => row['message']);

test('creating a hold waits for the chunk in hand', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ message: 'goes' })]);
  const plan = await planRedact({ ctx, input: { fields: ['message'] } });
  const order: string[] = [];
  let creating: Promise<unknown> | undefined;
  let chunks = 0;
  const services = beforeCommit('custodian', async () => {
    // The first chunk removes nothing.
    if (++chunks !== 2) return;
    creating = hold(ctx, { query: '' }).then(() => order.push('created'));
    await untilSomebodyWaits();
    expect((await listHolds({ ctx, input: { limit: 1 } })).holds).toEqual([]);
    order.push('chunk');
  });
  const job = await run(ctx, plan, services);
  await creating;
  expect(order).toEqual(['chunk', 'created']);
  expect(job.result).toMatchObject({ changed: 1, held: 0 });
  expect(await messages(ctx)).toEqual([null]);
});

test('a chunk that begins while a hold is being created waits for it and sees it', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ message: 'stays' })]);
  const plan = await planRedact({ ctx, input: { fields: ['message'] } });
  let running: ReturnType<typeof run> | undefined;
  const services = beforeCommit('app', async () => {
    running ??= run(ctx, plan);
    await untilSomebodyWaits();
  });
  await hold({ ...ctx, ...services }, { query: '' });
  expect((await running)?.result).toMatchObject({ changed: 0, held: 1 });
  expect(await messages(ctx)).toEqual(['stays']);
});

test('neither waits for those of another tenant', async () => {
  const [ctx, other] = [core.context(), core.context()];
  await seed(other, [anActivity()]);
  const services = beforeCommit('app', async () => {
    expect((await redact(other, { fields: ['message'] })).job.result).toMatchObject({ changed: 1 });
  });
  await hold({ ...ctx, ...services }, { query: '' });
});

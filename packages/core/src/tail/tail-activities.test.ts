import { type Job, limits, mask } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendActivities } from '../activity/append.ts';
import type { Context } from '../context.ts';
import { getJob } from '../job/get-job.ts';
import { runJob } from '../job/run-job.ts';
import { applyAnonymize } from '../privacy/apply-anonymize.ts';
import { planAnonymize } from '../privacy/plan-anonymize.ts';
import { applyRetention } from '../retention/apply-retention.ts';
import { planRetention } from '../retention/plan-retention.ts';
import { setPolicies } from '../retention/set-policies.ts';
import { openTestCore, sequenceAll, type TestCore } from '../testing.ts';
import { idsInLog, idsOf, log, openTail } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const masked = { principal: { scopes: ['activities:read'] } } as const;

test('a tail begins behind the log, says so at once, and tells what comes in the order of the log', async () => {
  const ctx = core.context();
  await log(ctx, 3);
  const tail = await openTail(ctx);
  expect([tail.cursor(), tail.told]).toEqual(['1.3', []]);
  // What is stored later may have happened before.
  const late = await log(ctx, 2, { occurredAt: new Date('2026-03-01T00:00:00Z') });
  const early = await log(ctx, 2, { occurredAt: new Date('2026-02-01T00:00:00Z') });
  expect(idsOf(await tail.until(4))).toEqual([...late, ...early]);
  expect(tail.cursor()).toBe('1.7');
  await tail.end();
});

test('a tail of a tenant without a log waits for its first activity', async () => {
  const ctx = core.context();
  const tail = await openTail(ctx);
  expect(tail.cursor()).toBe('1.0');
  const ids = await log(ctx, 1);
  expect(idsOf(await tail.until(1))).toEqual(ids);
  await tail.end();
});

test('what is stored but not sequenced yet is told once it is', async () => {
  const ctx = core.context();
  const tail = await openTail(ctx, { from: 'start' });
  const { id } = anActivity();
  await appendActivities({ ctx, input: { activities: [anActivity({ id, occurredAt: timeOf(id) })] } });
  expect(tail.told).toEqual([]);
  await sequenceAll(core, ctx.tenantId);
  expect(idsOf(await tail.until(1))).toEqual([id]);
  await tail.end();
});

const timeOf = (id: string) => new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));

test('from the start everything is told, in events of a bounded size', async () => {
  const ctx = core.context();
  await log(ctx, 300);
  await log(ctx, 7);
  const tail = await openTail(ctx, { from: 'start' });
  expect(tail.told).toHaveLength(limits.tailActivitiesMax);
  expect(idsOf(await tail.until(307))).toEqual(await idsInLog(ctx));
  await tail.end();
});

test('a tail goes on behind any cursor, within a batch too', async () => {
  const ctx = core.context();
  await log(ctx, 5);
  await log(ctx, 5);
  const all = await idsInLog(ctx);
  for (let index = 0; index <= 10; index += 1) {
    const tail = await openTail(ctx, { lastEventId: `1.${index}`, from: 'start' });
    expect(idsOf(await tail.until(10 - index))).toEqual(all.slice(index));
    await tail.end();
  }
});

test.each(['1.4', '1.9007199254740993', '2.0', '9999999999.3'])(
  'a cursor beyond the end of the log is refused: %s',
  async (lastEventId) => {
    const ctx = core.context();
    await log(ctx, 3);
    await expect(openTail(ctx, { lastEventId })).rejects.toMatchObject({
      code: 'invalid_input',
      path: 'lastEventId',
    });
  },
);

test('what the filter does not select is passed over, and the cursor moves on', async () => {
  const ctx = core.context();
  await log(ctx, 20, { action: 'other.thing' });
  const [wanted] = await log(ctx, 1, { action: 'wanted.thing' });
  await log(ctx, 20, { action: 'other.thing' });
  const tail = await openTail(ctx, { from: 'start', query: 'action:wanted.*' });
  expect(idsOf(await tail.until(1))).toEqual([wanted]);
  // Nothing follows, but within a second it says how far it has come.
  expect(await tail.reach('1.41')).toHaveLength(1);
  await tail.end();
});

describe('who may not see personal fields', () => {
  test('gets them masked, and is refused to filter by them before anything is told', async () => {
    const { tenantId } = core.context();
    const [seeing, blind] = [core.context({ tenantId }), core.context({ tenantId, ...masked })];
    // At the same feed, so that what one sees could reach the other.
    const tails = [await openTail(seeing), await openTail(blind), await openTail(seeing)];
    await log(seeing, 2);
    const labels = await Promise.all(
      tails.map(async (tail) => (await tail.until(2)).map(({ actor }) => actor.label)),
    );
    const [shown, hidden] = [
      ['Ada Lovelace', 'Ada Lovelace'],
      [mask, mask],
    ];
    expect(labels).toEqual([shown, hidden, shown]);
    await expect(openTail(blind, { query: 'ip:203.0.113.7' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(openTail(blind, { filter: { actorLabel: { any: ['x'] } } })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await Promise.all(tails.map((tail) => tail.end()));
  });

  test('finds nothing in them by free text, where others do', async () => {
    const { tenantId } = core.context();
    const [seeing, blind] = [core.context({ tenantId }), core.context({ tenantId, ...masked })];
    const query = '"Lovelace"';
    const tails = [await openTail(seeing, { query }), await openTail(blind, { query })];
    const fields = { message: 'voided', metadata: {} };
    const [, hers] = await log(seeing, 2, fields);
    expect(idsOf((await tails[0]?.until(2)) ?? [])[1]).toBe(hers);
    const [said] = await log(seeing, 1, { ...fields, message: 'Lovelace said so' });
    expect(idsOf((await tails[1]?.until(1)) ?? [])).toEqual([said]);
    await Promise.all(tails.map((tail) => tail.end()));
  });
});

test("another tenant's activities are told to nobody", async () => {
  const [mine, other] = [core.context(), core.context()];
  const tails = [await openTail(mine, { from: 'start' }), await openTail(other, { from: 'start' })];
  await log(other, 3);
  await log(mine, 1);
  await log(other, 3);
  expect(idsOf((await tails[0]?.reach('1.1')) ?? [])).toEqual(await idsInLog(mine));
  expect(idsOf((await tails[1]?.reach('1.6')) ?? [])).toEqual(await idsInLog(other));
  await Promise.all(tails.map((tail) => tail.end()));
});

test('what was erased is told as it is now, and what was purged not at all', async () => {
  const ctx = core.context();
  const old = { occurredAt: new Date(core.clock.now().getTime() - 40 * 86_400_000) };
  await log(ctx, 10, old);
  const recent = await log(ctx, 2, { occurredAt: core.clock.now() });
  await setPolicies({ ctx, input: { policies: [{ name: 'p', keepDays: 30, since: 'occurredAt' }] } });
  const person = { ids: ['user_ada'], identifiers: [], learn: true, except: [] };
  const erasure = await planAnonymize({ ctx, input: { ...person, mode: 'anonymize' } });
  await run(ctx, await applyAnonymize({ ctx, input: { planId: erasure.id, driftMax: 1 } }));
  const purge = await planRetention({ ctx });
  await run(ctx, await applyRetention({ ctx, input: { planId: purge.id, driftMax: 1 } }));
  await sequenceAll(core, ctx.tenantId);
  const tail = await openTail(ctx, { from: 'start', query: 'action:invoice.voided' });
  const [last] = await log(ctx, 1);
  expect(idsOf(await tail.until(3))).toEqual([...recent, last]);
  expect(JSON.stringify(tail.told.slice(0, 2))).not.toMatch(/Lovelace|user_ada/);
  await tail.end();
});

async function run(ctx: Context, { id }: Job): Promise<void> {
  await runJob(core.services, { tenantId: ctx.tenantId, jobId: id });
  expect((await getJob({ ctx, input: { id } })).status).toBe('completed');
}

test('a tenant has so many tails at once, and others have theirs', async () => {
  const ctx = core.context();
  const tails = await Promise.all(Array.from({ length: limits.tailsPerTenantMax }, () => openTail(ctx)));
  await expect(openTail(ctx)).rejects.toMatchObject({ code: 'unavailable', limit: limits.tailsPerTenantMax });
  await (await openTail(core.context())).end();
  await tails[0]?.end();
  tails[0] = await openTail(ctx);
  await Promise.all(tails.map((tail) => tail.end()));
});

test('a tail ends when its signal does, in the middle of a wait', async () => {
  const tail = await openTail(core.context());
  const next = tail.next();
  await tail.end();
  expect(await next).toBeUndefined();
});

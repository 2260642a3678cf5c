import { limits } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { type Inspection, inspect, seed } from '../job/testing.ts';
import { planAnonymize } from '../privacy/plan-anonymize.ts';
import { planRedact } from '../privacy/plan-redact.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { listHolds } from './list-holds.ts';
import { releaseHold } from './release-hold.ts';
import { anonymize, hold as createdHold, personOf, redact, run } from './testing.ts';

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

/** Each a moment after the other, as they are listed in the order of their creation. */
const hold: typeof createdHold = (...args) => {
  core.clock.advance(1);
  return createdHold(...args);
};

/** The n-th minute of an hour, so that records come in a known order. */
const minute = (n: number) => new Date(Date.UTC(2026, 0, 15, 12, n));
const ada = { type: 'user' as const, id: 'user_ada', label: 'Ada Lovelace' };
const bob = { type: 'user' as const, id: 'user_bob', label: 'Bob Builder' };

const messages = async (ctx: Context) => (await inspection.rows(ctx.tenantId)).map((row) => row['message']);

async function ownRecords(ctx: Context): Promise<{ text: string; metadata: object }[]> {
  return inspection.query(
    `select a::text as text, metadata from annals.activity a
      where tenant_id = $1 and action like 'annals.hold%' order by id`,
    [ctx.tenantId],
  );
}

test('what a filter holds is not redacted, the plan tells so, and once released it is', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ occurredAt: minute(1), message: 'held', action: 'contract.signed' }),
    anActivity({ occurredAt: minute(2), message: 'free' }),
    anActivity({ occurredAt: minute(3), message: 'held too', action: 'contract.ended' }),
  ]);
  const before = await inspection.rows(ctx.tenantId);
  const { id } = await hold(ctx, { query: 'action:contract.*' });
  const first = await redact(ctx, { fields: ['message'] });
  expect(first.plan).toMatchObject({
    activities: 1,
    held: 2,
    holds: [{ id, name: 'Claim 17', activities: 2 }],
    byField: [{ name: 'message', count: 1 }],
    byMonth: [{ name: '2026-01', count: 1 }],
  });
  expect(first.plan.sampleIds).toHaveLength(1);
  expect(first.job.result).toMatchObject({ changed: 1, held: 2 });
  const after = await inspection.rows(ctx.tenantId);
  expect(after.map((row) => row['message'])).toEqual(['held', null, 'held too']);
  expect([after[0], after[2]]).toEqual([before[0], before[2]]);

  await releaseHold({ ctx, input: { id } });
  const second = await redact(ctx, { fields: ['message'] });
  expect(second.plan).toMatchObject({ activities: 2, held: 0, holds: [] });
  expect(second.job.result).toMatchObject({ changed: 2, held: 0 });
  expect(await messages(ctx)).toEqual([null, null, null]);
});

test('what a person is in is not redacted, and what only looks alike is', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ occurredAt: minute(1), actor: bob, message: 'mail to ada@x.com' }),
    anActivity({ occurredAt: minute(2), actor: bob, message: 'mail to canada@x.com' }),
    anActivity({ occurredAt: minute(3), actor: bob, message: 'mail to ada@x.community' }),
    anActivity({
      occurredAt: minute(4),
      actor: bob,
      message: 'plain',
      target: { type: 'user', id: 'user_ada' },
    }),
    anActivity({ occurredAt: minute(5), actor: bob, message: 'plain' }),
  ]);
  await hold(ctx, { person: personOf('user_ada', ['ada@x.com']) });
  const { plan, job } = await redact(ctx, { fields: ['message', 'actor.label'] });
  expect(plan).toMatchObject({
    activities: 3,
    held: 2,
    byField: [
      { name: 'message', count: 3 },
      { name: 'actor.label', count: 3 },
    ],
    byMonth: [{ name: '2026-01', count: 3 }],
  });
  expect(plan.sampleIds).toHaveLength(3);
  expect(job.result).toMatchObject({ changed: 3, held: 2 });
  expect(await messages(ctx)).toEqual(['mail to ada@x.com', null, null, 'plain', null]);
});

test('erasing a person leaves what is held as it is, erases the rest, and tells where the person remains', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ occurredAt: minute(1), actor: ada, message: 'under a filter', action: 'contract.signed' }),
    anActivity({ occurredAt: minute(2), actor: ada, message: 'under nothing' }),
    anActivity({
      occurredAt: minute(3),
      actor: ada,
      message: 'with Bob Builder',
      subject: { id: 'user_bob' },
    }),
  ]);
  const before = await inspection.rows(ctx.tenantId);
  const contracts = await hold(ctx, { name: 'Contracts', query: 'action:contract.*' });
  const person = await hold(ctx, { name: 'Bob', person: personOf('user_bob') });
  const { plan, job } = await anonymize(ctx, personOf('user_ada'));
  expect(plan).toMatchObject({
    activities: 1,
    held: 2,
    holds: [
      { id: contracts.id, name: 'Contracts', activities: 1 },
      { id: person.id, name: 'Bob', activities: 1 },
    ],
  });
  expect(plan.identifiers[0]).toMatchObject({ value: 'user_ada', activities: 3 });
  expect(job.result).toMatchObject({ changed: 1, held: 2 });
  expect(job.result?.residual?.matches).toBeGreaterThan(0);
  const after = await inspection.rows(ctx.tenantId);
  expect([after[0], after[2]]).toEqual([before[0], before[2]]);
  expect(after[1]).toMatchObject({ actor_id: null, actor_label: null, message: 'under nothing' });
  const [record] = await inspection.query(
    `select metadata from annals.activity where tenant_id = $1 and action = 'erasure.completed'`,
    [ctx.tenantId],
  );
  expect(record).toMatchObject({ metadata: { changed: 1, held: 2 } });
});

test("a person's hold keeps all that erasing the person would find, also by what was learned, and names the person in the residual scan", async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ occurredAt: minute(1), actor: ada }),
    anActivity({ occurredAt: minute(2), actor: bob, message: 'for Ada Lovelace' }),
    anActivity({ occurredAt: minute(3), actor: bob, metadata: { mail: 'ADA@x.com' } }),
    anActivity({ occurredAt: minute(4), actor: bob, message: 'for nobody' }),
  ]);
  const before = await inspection.rows(ctx.tenantId);
  const held = await hold(ctx, { person: personOf('user_ada', ['ada@x.com']) });
  expect(held.person).toEqual({ ids: ['user_ada'], identifiers: ['ada@x.com', 'Ada Lovelace'] });
  // Recorded after the hold was created.
  await seed(ctx, [anActivity({ occurredAt: minute(5), actor: ada })]);
  const first = await anonymize(ctx, personOf('user_ada', ['ada@x.com']));
  expect(first.plan).toMatchObject({ activities: 0, held: 4 });
  expect(first.job.result).toMatchObject({ changed: 0, held: 4 });
  expect(first.job.result?.residual?.places).toContainEqual({ name: 'hold', count: 1 });
  expect((await inspection.rows(ctx.tenantId)).slice(0, 4)).toEqual(before);

  await releaseHold({ ctx, input: { id: held.id, reason: 'settled with Ada Lovelace' } });
  const second = await anonymize(ctx, personOf('user_ada', ['ada@x.com']));
  expect(second.job.result).toMatchObject({ changed: 4, held: 0, residual: { matches: 0, places: [] } });
  const rows = await inspection.query<{ text: string }>(
    'select h::text as text from annals.hold h where tenant_id = $1',
    [ctx.tenantId],
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]?.text).not.toMatch(/ada/i);
});

test('whatever the texts, a hold over a person and erasing the person meet the same records', async () => {
  const part = fc.constantFrom('user_ada', 'ada@x.com', 'ADA', 'canada@x.com', '%61da', ' ', '-', 'x', 'é');
  const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('').trim() || 'x');
  const activity = fc.record({ message: text, label: text, value: text, id: text });
  await fc.assert(
    fc.asyncProperty(fc.array(activity, { minLength: 1, maxLength: 12 }), async (list) => {
      const ctx = core.context();
      const activities = list.map(({ message, label, value, id }) =>
        anActivity({
          actor: { type: 'user', id, label },
          message,
          metadata: { [value]: value },
        }),
      );
      await seed(ctx, activities);
      const person = { ...personOf('user_ada', ['ada@x.com']), mode: 'anonymize' as const };
      const free = await planAnonymize({ ctx, input: person });
      await hold(ctx, { person });
      await hold(ctx, { person: personOf('nobody at all') });
      const held = await planAnonymize({ ctx, input: person });
      expect(held).toMatchObject({ activities: 0, held: free.activities });
      const all = await planRedact({ ctx, input: { fields: ['message'] } });
      expect(all).toMatchObject({ activities: list.length - free.activities, held: free.activities });
    }),
    { numRuns: 15 },
  );
});

test('an activity under several holds is counted once, and for each of them', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ actor: bob, message: 'for ada@x.com', action: 'contract.signed' }),
    anActivity({ actor: bob, message: 'for ada@x.com' }),
    anActivity({ actor: bob, message: 'for canada@x.com', action: 'contract.signed' }),
    anActivity({ actor: bob, message: 'for canada@x.com' }),
  ]);
  await hold(ctx, { name: 'contracts', query: 'action:contract.*' });
  await hold(ctx, { name: 'all contracts', query: 'action:contract.signed actor:user_bob' });
  await hold(ctx, { name: 'Ada', person: personOf('user_ada', ['ada@x.com']) });
  const holds = [
    { name: 'contracts', activities: 2 },
    { name: 'all contracts', activities: 2 },
    { name: 'Ada', activities: 2 },
  ];
  const { plan, job } = await redact(ctx, { fields: ['message'] });
  expect(plan).toMatchObject({ activities: 1, held: 3, holds });
  expect(job.result).toMatchObject({ changed: 1, held: 3 });
  const person = { ...personOf('user_bob'), mode: 'anonymize' as const };
  expect(await planAnonymize({ ctx, input: person })).toMatchObject({ activities: 1, held: 3, holds });
});

test('so many persons can be held that the database does not search for them itself', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ occurredAt: minute(1), actor: bob, message: 'for person 3.40' }),
    anActivity({ occurredAt: minute(2), actor: bob, message: 'for person 9.40' }),
  ]);
  for (let n = 0; n < 6; n += 1) {
    const identifiers = Array.from({ length: limits.identifiersMax }, (_, m) => `person ${n}.${m}`);
    await hold(ctx, { name: `${n}`, person: personOf(`p${n}`, identifiers) });
  }
  const { plan } = await redact(ctx, { fields: ['message'] });
  expect(plan).toMatchObject({ activities: 1, held: 1, holds: [{ name: '3', activities: 1 }] });
  expect(await messages(ctx)).toEqual(['for person 3.40', null]);
});

test('a hold created after the plan is a drift', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ message: 'one' })]);
  const plan = await planRedact({ ctx, input: { fields: ['message'] } });
  const { id } = await hold(ctx, { query: '' });
  await expect(run(ctx, plan)).rejects.toMatchObject({ code: 'plan_drifted' });
  await releaseHold({ ctx, input: { id } });
  expect((await run(ctx, plan)).result).toMatchObject({ changed: 1, held: 0 });
});

test("a tenant's holds are its own", async () => {
  const [ctx, other] = [core.context(), core.context()];
  await seed(ctx, [anActivity({ message: 'mine' })]);
  await seed(other, [anActivity({ message: 'theirs' })]);
  const { id } = await hold(other, { filter: {} });
  expect(await listHolds({ ctx, input: { limit: 10 } })).toEqual({ holds: [] });
  await expect(releaseHold({ ctx, input: { id } })).rejects.toMatchObject({ code: 'not_found', path: 'id' });
  expect((await redact(ctx, { fields: ['message'] })).plan).toMatchObject({ activities: 1, held: 0 });
  expect((await redact(other, { fields: ['message'] })).plan).toMatchObject({ activities: 0, held: 1 });
  expect([await messages(ctx), await messages(other)]).toEqual([[null], ['theirs']]);
});

test('creating and releasing are recorded, with the hold and never with what it is over', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ actor: ada })]);
  const { id } = await hold(ctx, { name: 'Ada Lovelace ./. Babbage', person: personOf('user_ada') });
  const released = await releaseHold({ ctx, input: { id, reason: 'Ada Lovelace agreed' } });
  expect(released).toMatchObject({
    id,
    over: 'person',
    releasedAt: core.clock.now(),
    releasedBy: 'key:test000000000000',
    releaseReason: 'Ada Lovelace agreed',
  });
  expect(released).not.toHaveProperty('person');
  core.clock.advance(1);
  expect(await releaseHold({ ctx, input: { id, reason: 'again' } })).toEqual(released);
  const records = await ownRecords(ctx);
  expect(records.map(({ metadata }) => metadata)).toEqual([{ over: 'person' }, { over: 'person' }]);
  for (const { text } of records) {
    expect(text).toMatch(/annals\.hold_(created|released).*hold/);
    expect(text).toContain(id);
    expect(text).not.toMatch(/ada|lovelace|babbage|agreed/i);
  }
});

test('active holds are listed before released ones, the newest first', async () => {
  const ctx = core.context();
  const [a, b, c] = [
    await hold(ctx, { query: 'actor:a' }),
    await hold(ctx, { query: '' }),
    await hold(ctx, { filter: { text: { all: ['x'] } } }),
  ];
  await releaseHold({ ctx, input: { id: c.id } });
  const { holds } = await listHolds({ ctx, input: { limit: 10 } });
  expect(holds.map(({ id }) => id)).toEqual([b.id, a.id, c.id]);
  expect(holds).toMatchObject([{ query: '' }, { query: 'actor:a' }, { over: 'filter' }]);
  expect(holds[2]).not.toHaveProperty('query');
  expect((await listHolds({ ctx, input: { limit: 1 } })).holds.map(({ id }) => id)).toEqual([b.id]);
});

test('without personal:read a hold cannot filter by personal fields, nor does a list show what can name somebody', async () => {
  const ctx = core.context();
  const blind = core.context({ tenantId: ctx.tenantId, principal: { scopes: ['privacy'] } });
  await expect(hold(blind, { query: 'subject:user_ada' })).rejects.toMatchObject({
    code: 'forbidden',
    path: 'query',
  });
  await hold(blind, { name: 'blind', query: 'Ada' });
  await hold(ctx, { name: 'seeing', query: 'Ada' });
  await hold(ctx, { name: 'person', person: personOf('user_ada') });
  const { id } = await hold(ctx, { name: 'released', query: '' });
  await releaseHold({ ctx, input: { id, reason: 'because of Ada' } });
  const { holds } = await listHolds({ ctx: blind, input: { limit: 10 } });
  expect(holds.map(({ name, query, person, releaseReason }) => [name, query, person, releaseReason])).toEqual(
    [
      ['person', undefined, undefined, undefined],
      ['seeing', undefined, undefined, undefined],
      ['blind', 'Ada', undefined, undefined],
      ['released', undefined, undefined, undefined],
    ],
  );
  // Who cannot see labels cannot hold by them either.
  await seed(ctx, [anActivity({ actor: ada, target: { type: 'a', id: 'b' }, message: 'x', metadata: {} })]);
  const plan = await planRedact({ ctx, input: { fields: ['message'] } });
  expect(plan.holds.map(({ name }) => name)).toEqual(['seeing', 'person']);
});

test('a hold is over one of filter, query and person', async () => {
  const ctx = core.context();
  const code = 'invalid_input';
  const person = personOf('user_ada');
  await expect(hold(ctx, {})).rejects.toMatchObject({ code, path: 'person' });
  await expect(hold(ctx, { person, query: '' })).rejects.toMatchObject({ code, path: 'person' });
  await expect(hold(ctx, { filter: {}, query: '' })).rejects.toMatchObject({ code, path: 'query' });
  await expect(hold(ctx, { query: 'actor:' })).rejects.toMatchObject({ code: 'invalid_query' });
});

test('a tenant has so many active holds at most', async () => {
  const ctx = core.context();
  const { id } = await hold(ctx, { query: '' });
  for (let n = 1; n < limits.holdsMax; n += 1) {
    await hold(ctx, { query: `actor:a${n} tag:x metadata.a:b` });
  }
  const refused = { code: 'invalid_input', path: 'name', limit: limits.holdsMax };
  await expect(hold(ctx, { query: '' })).rejects.toMatchObject(refused);
  await releaseHold({ ctx, input: { id } });
  await hold(ctx, { query: 'action:contract.*' });
  await seed(ctx, [anActivity({ message: 'free' }), anActivity({ action: 'contract.signed' })]);
  expect((await redact(ctx, { fields: ['message'] })).plan).toMatchObject({ activities: 1, held: 1 });
});

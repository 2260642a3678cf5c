import type { PlanAnonymizeInput } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getActivity } from '../activity/get.ts';
import type { Context } from '../context.ts';
import { getJob } from '../job/get-job.ts';
import { runJob } from '../job/run-job.ts';
import { type Inspection, inspect, seed } from '../job/testing.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { applyAnonymize } from './apply-anonymize.ts';
import { applyRedact } from './apply-redact.ts';
import { planAnonymize } from './plan-anonymize.ts';
import { planRedact } from './plan-redact.ts';

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

/** The n-th minute of an hour, so that records come in a known order. */
const minute = (n: number) => new Date(Date.UTC(2026, 0, 15, 12, n));

const ada = { type: 'user' as const, id: 'user_ada', label: 'Ada Lovelace' };
const bob = { type: 'user' as const, id: 'user_bob', label: 'Bob Builder' };
const input: PlanAnonymizeInput = {
  ids: ['user_ada'],
  identifiers: ['ada@x.com'],
  learn: true,
  except: [],
  mode: 'anonymize',
};

async function anonymize(ctx: Context, overrides: Partial<PlanAnonymizeInput> = {}) {
  const plan = await planAnonymize({ ctx, input: { ...input, ...overrides } });
  const { id } = await applyAnonymize({ ctx, input: { planId: plan.id, driftMax: 0 } });
  expect(await runJob(core.services, { tenantId: ctx.tenantId, jobId: id })).toBe('ended');
  return { plan, job: await getJob({ ctx, input: { id } }) };
}

test('no text, no JSON and no name of an erased field of any record names the person afterwards', async () => {
  const ctx = core.context();
  const full = anActivity({
    actor: ada,
    subject: { id: 'user_ada' },
    target: { type: 'user', id: 'user_ada', label: 'Ada' },
    scopeId: 'space-user_ada',
    channel: 'ADA@X.COM',
    source: 'mail to ada@x.com',
    message: 'Ada Lovelace did it',
    reason: 'because ada@x.com asked',
    kind: 'data_change' as const,
    details: { resource: 'user', after: { mail: 'ada@x.com', nested: [{ 'ada@x.com': 1 }] } },
    context: {
      ip: '203.0.113.7',
      userAgent: 'Mozilla ada@x.com',
      requestId: 'req:user_ada',
      sessionId: 'ses_1',
      traceId: 'user_ada',
      spanId: 'span-user_ada',
    },
    tags: ['plain', 'by:user_ada'],
    metadata: {
      keep: 'this',
      owner: { email: 'ada@x.com' },
      url: 'https://x/?m=ada%40x.com',
      json: JSON.stringify({ who: 'x\nada@x.com' }),
      'ada@x.com': { role: 'admin' },
      list: ['a', 'ADA LOVELACE', 'b'],
    },
  });
  const untouched = anActivity({
    occurredAt: minute(1),
    actor: bob,
    message: 'canada@x.com wrote',
    target: { type: 'user', id: 'user_ada2', label: 'Adam' },
    metadata: { at: 'ada@x.community', n: 1.5 },
  });
  await seed(ctx, [full, untouched]);
  const before = await inspection.rows(ctx.tenantId);

  const { job } = await anonymize(ctx);

  expect(job).toMatchObject({
    status: 'completed',
    result: { changed: 1, residual: { matches: 0, places: [] } },
  });
  for (const text of await inspection.texts(ctx.tenantId)) {
    expect(
      text.replace('user_ada2', '').replace('canada@x.com', '').replace('ada@x.community', ''),
    ).not.toMatch(/ada@x\.com|user_ada|ada lovelace|ada%40x/i);
  }
  expect(await getActivity({ ctx, input: { id: full.id } })).toEqual({
    id: full.id,
    tenantId: ctx.tenantId,
    occurredAt: full.occurredAt,
    recordedAt: core.clock.now(),
    action: full.action,
    kind: 'data_change',
    severity: 'info',
    outcome: 'success',
    visibility: 'internal',
    actor: { type: 'user' },
    target: { type: 'user' },
    tags: ['plain'],
    metadata: { keep: 'this', owner: { email: null }, url: null, json: null, list: ['a', null, 'b'] },
    details: { resource: 'user', after: { mail: null, nested: [{}] } },
    erased: [
      'actor.id',
      'actor.label',
      'channel',
      'context.ip',
      'context.requestId',
      'context.sessionId',
      'context.spanId',
      'context.traceId',
      'context.userAgent',
      'details.after.mail',
      'details.after.nested.0.*',
      'message',
      'metadata.*',
      'metadata.json',
      'metadata.list.1',
      'metadata.owner.email',
      'metadata.url',
      'reason',
      'scopeId',
      'source',
      'subject.id',
      'tags',
      'target.id',
      'target.label',
    ],
  });
  expect((await inspection.rows(ctx.tenantId))[1]).toEqual(before[1]);
});

test('the plan tells what the run then does', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ actor: ada, occurredAt: new Date('2026-01-15T12:00:00Z') }),
    anActivity({ actor: ada, occurredAt: new Date('2026-02-15T12:00:00Z'), message: 'x' }),
    anActivity({ actor: bob, message: 'for ada@x.com', metadata: {} }),
    anActivity({ actor: bob, message: 'for nobody', target: { type: 'a', id: 'b' } }),
  ]);
  const { plan, job } = await anonymize(ctx);
  expect(plan).toMatchObject({
    kind: 'anonymize',
    tenantId: ctx.tenantId,
    confirm: 'user_ada',
    activities: 3,
    byMonth: [
      { name: '2026-01', count: 2 },
      { name: '2026-02', count: 1 },
    ],
    identifiers: [
      { value: 'user_ada', origin: 'given', activities: 2 },
      { value: 'ada@x.com', origin: 'given', activities: 1 },
      { value: 'Ada Lovelace', origin: 'learned', activities: 2 },
    ],
  });
  expect(plan.sampleIds).toHaveLength(3);
  expect(job.result).toMatchObject({ changed: 3, counts: plan.byField });
  expect(job.total).toBe(job.done);
});

test('labels that others carry too, that are short or that the caller excepts are listed and left alone', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ actor: { ...ada, label: 'Admin' }, message: 'an admin did it' }),
    anActivity({ actor: { ...ada, label: 'Ada' }, message: 'Ada did it' }),
    anActivity({ actor: { ...ada, label: 'Team Blue' }, message: 'Team Blue did it' }),
    anActivity({ occurredAt: minute(1), actor: { ...bob, label: 'admin' }, message: 'x' }),
  ]);
  const { plan } = await anonymize(ctx, { except: ['team blue'] });
  expect(plan.identifiers.slice(2)).toEqual(
    expect.arrayContaining([
      { value: 'Admin', origin: 'learned', activities: 0, skipped: 'shared' },
      { value: 'Ada', origin: 'learned', activities: 0, skipped: 'short' },
      { value: 'Team Blue', origin: 'learned', activities: 0, skipped: 'excepted' },
    ]),
  );
  const rows = await inspection.rows(ctx.tenantId);
  expect(rows.map((row) => String(row['message'])).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    'Ada did it',
    'Team Blue did it',
    'an admin did it',
    'x',
  ]);
  expect(rows.map((row) => row['actor_label'])).toEqual([null, null, null, 'admin']);
});

test('without personal:read the plan does not show what it learned', async () => {
  const ctx = core.context({ principal: { scopes: ['privacy'] } });
  await seed(ctx, [anActivity({ actor: ada })]);
  const plan = await planAnonymize({ ctx, input });
  expect(plan.identifiers.map(({ value }) => value)).toEqual(['user_ada', 'ada@x.com', '[masked]']);
});

test('a short id counts as a whole id only', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ actor: { type: 'user', id: '7' }, message: 'the 7 of 9', metadata: { n: 7 } }),
    anActivity({ actor: { type: 'user', id: '8' }, subject: { id: '7' }, target: { type: 'user', id: '7' } }),
  ]);
  const { plan, job } = await anonymize(ctx, { ids: ['7'], identifiers: [] });
  expect(plan.identifiers).toEqual([{ value: '7', origin: 'given', activities: 0, skipped: 'short' }]);
  expect(job.result?.counts).toEqual([
    { name: 'actor.id', count: 1 },
    { name: 'context.ip', count: 1 },
    { name: 'context.sessionId', count: 1 },
    { name: 'context.userAgent', count: 1 },
    { name: 'subject.id', count: 1 },
    { name: 'target.id', count: 1 },
  ]);
});

test('pseudonymize puts one random pseudonym where the ids stood, and erases the rest', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ actor: ada }),
    anActivity({
      occurredAt: minute(1),
      actor: bob,
      subject: { id: 'user_ada' },
      target: { type: 'user', id: 'user_ada', label: 'Ada L' },
    }),
    anActivity({ occurredAt: minute(2), actor: bob, target: { type: 'home', id: 'home/user_ada' } }),
  ]);
  const { job } = await anonymize(ctx, { mode: 'pseudonymize' });
  const pseudonym = job.result?.pseudonym;
  expect(pseudonym).toMatch(/^p_[A-Za-z0-9_-]{22}$/);
  const [first, second, third] = await inspection.rows(ctx.tenantId);
  expect(first).toMatchObject({ actor_id: pseudonym, actor_label: null, ip: null });
  expect(first?.['erased']).toContain('actor.id');
  expect(second).toMatchObject({
    actor_id: 'user_bob',
    subject_id: pseudonym,
    target_id: pseudonym,
    target_label: null,
  });
  expect(third).toMatchObject({ target_id: null, actor_id: 'user_bob' });
});

test('running twice changes nothing more', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ actor: ada }), anActivity({ actor: bob, metadata: { by: 'ada@x.com' } })]);
  await anonymize(ctx, { mode: 'pseudonymize' });
  const once = await inspection.rows(ctx.tenantId);
  const { plan, job } = await anonymize(ctx);
  expect(plan.activities).toBe(0);
  expect(job.result).toMatchObject({ changed: 0, counts: [] });
  expect(await inspection.rows(ctx.tenantId)).toEqual(once);
});

test('what stays in actions and types is found by the residual scan', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({
      actor: bob,
      action: 'user_ada.updated',
      target: { type: 'user_ada', id: 'x' },
      message: 'm',
    }),
  ]);
  const { job } = await anonymize(ctx);
  expect(job.result?.residual).toEqual({
    matches: 2,
    places: [
      { name: 'action', count: 1 },
      { name: 'target.type', count: 1 },
    ],
  });
});

test('a path that an earlier redaction named by a personal key names nobody afterwards', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ metadata: { 'ada@x.com': 1, other: 2 } })]);
  const fields = ['metadata."ada@x.com"', 'metadata.other'];
  const plan = await planRedact({ ctx, input: { fields } });
  const redaction = await applyRedact({ ctx, input: { planId: plan.id, driftMax: 0 } });
  await runJob(core.services, { tenantId: ctx.tenantId, jobId: redaction.id });
  expect((await inspection.rows(ctx.tenantId))[0]?.['erased']).toEqual(fields);
  const { job } = await anonymize(ctx, { ids: ['nobody'] });
  expect(job.result?.residual).toEqual({ matches: 0, places: [] });
  expect(await inspection.rows(ctx.tenantId)).toMatchObject([
    { metadata: { other: null }, erased: ['metadata.*', 'metadata.other'] },
  ]);
  expect((await getJob({ ctx, input: redaction })).result?.counts).toEqual([
    { name: 'metadata.*', count: 1 },
    { name: 'metadata.other', count: 1 },
  ]);
});

test('a plan that was only looked at does not keep the name of the person', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity({ actor: ada })]);
  const looked = await planAnonymize({ ctx, input });
  const { job } = await anonymize(ctx);
  expect(job.result?.residual).toEqual({ matches: 0, places: [] });
  await expect(applyAnonymize({ ctx, input: { planId: looked.id, driftMax: 0 } })).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('afterwards neither plan, job, own records nor statistics of the planner name the person', async () => {
  const ctx = core.context({ principal: { keyName: 'key of Ada Lovelace' } });
  await seed(
    ctx,
    Array.from({ length: 50 }, () => anActivity({ actor: ada, message: 'by ada@x.com' })),
  );
  await inspection.query('analyze');
  const inStatistics = `select count(*)::int as count from pg_stats where schemaname = 'annals'
    and (most_common_vals::text ~* 'ada@x|user_ada' or histogram_bounds::text ~* 'ada@x|user_ada')`;
  expect(await inspection.query(inStatistics)).not.toEqual([{ count: 0 }]);
  const sampled = `select count(*)::int as count from pg_stats where schemaname = 'annals'
    and tablename like 'activity%' and attname in ('message', 'metadata', 'actor_label', 'ip')`;
  expect(await inspection.query(sampled)).toEqual([{ count: 0 }]);
  await anonymize(ctx);
  for (const table of ['plan', 'job', 'activity', 'batch']) {
    const rows = await inspection.query<{ text: string }>(
      `select t::text as text from annals.${table} t where tenant_id = $1`,
      [ctx.tenantId],
    );
    expect(rows.map(({ text }) => text).join('\n')).not.toMatch(/ada@x|user_ada|ada lovelace/i);
  }
  const mine = await inspection.query<{ action: string }>(
    `select action, metadata from annals.activity where tenant_id = $1 and action like 'erasure.%' order by action`,
    [ctx.tenantId],
  );
  expect(mine).toMatchObject([
    { action: 'erasure.completed', metadata: { mode: 'anonymize', changed: 51, residual: { matches: 0 } } },
    { action: 'erasure.requested', metadata: { mode: 'anonymize', activities: 50 } },
  ]);
});

import { redactableFields } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { getJob } from '../job/get-job.ts';
import { runJob } from '../job/run-job.ts';
import { type Inspection, inspect, seed } from '../job/testing.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { applyRedact } from './apply-redact.ts';
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

const minute = (n: number) => new Date(Date.UTC(2026, 0, 15, 12, n));

async function redact(ctx: Context, input: { query?: string; fields: string[] }) {
  const plan = await planRedact({ ctx, input });
  const { id } = await applyRedact({ ctx, input: { planId: plan.id, driftMax: 0 } });
  expect(await runJob(core.services, { tenantId: ctx.tenantId, jobId: id })).toBe('ended');
  return { plan, job: await getJob({ ctx, input: { id } }) };
}

test('the fields of the records selected go, are named, and nothing else changes', async () => {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({
      occurredAt: minute(1),
      tags: ['a'],
      metadata: { user: { email: 'x', plan: 'pro' }, list: [{ a: 1 }, { a: 2 }], 'odd key': 1, empty: null },
    }),
    anActivity({ occurredAt: minute(2), metadata: { user: 'flat' } }),
    anActivity({ occurredAt: minute(3), action: 'other.thing', metadata: { user: { email: 'x' } } }),
  ]);
  const before = await inspection.rows(ctx.tenantId);
  const { plan, job } = await redact(ctx, {
    query: 'action:invoice.*',
    fields: [
      'context.ip',
      'tags',
      'metadata.user.email',
      'metadata.list.1.a',
      'metadata."odd key"',
      'metadata.empty',
    ],
  });
  expect(plan).toMatchObject({
    kind: 'redact',
    confirm: ctx.tenantId,
    activities: 2,
    byField: [
      { name: 'context.ip', count: 2 },
      { name: 'tags', count: 1 },
      { name: 'metadata.user.email', count: 1 },
      { name: 'metadata.list.1.a', count: 1 },
      { name: 'metadata."odd key"', count: 1 },
      { name: 'metadata.empty', count: 0 },
    ],
    byMonth: [{ name: '2026-01', count: 2 }],
    sampleIds: [before[0]?.['id'], before[1]?.['id']],
  });
  expect(job).toMatchObject({ status: 'completed', result: { changed: 2 } });
  const after = await inspection.rows(ctx.tenantId);
  expect(after).toEqual([
    {
      ...before[0],
      ip: null,
      tags: [],
      metadata: {
        user: { email: null, plan: 'pro' },
        list: [{ a: 1 }, { a: null }],
        'odd key': null,
        empty: null,
      },
      erased: ['context.ip', 'metadata."odd key"', 'metadata.list.1.a', 'metadata.user.email', 'tags'],
    },
    { ...before[1], ip: null, erased: ['context.ip'] },
    before[2],
  ]);
});

test('every field that can be redacted is, and doing it twice changes nothing', async () => {
  const ctx = core.context();
  const text = 'something';
  await seed(ctx, [
    anActivity({
      kind: 'system' as const,
      details: { component: text },
      subject: { id: text },
      channel: text,
      source: text,
      reason: text,
      tags: [text],
      context: {
        ip: '10.0.0.1',
        userAgent: text,
        requestId: text,
        sessionId: text,
        traceId: text,
        spanId: text,
      },
    }),
  ]);
  const fields = [...redactableFields, 'metadata.currency'];
  const { job } = await redact(ctx, { fields });
  const [row] = await inspection.rows(ctx.tenantId);
  expect(JSON.stringify(row)).not.toContain(text);
  expect(row).toMatchObject({ actor_id: null, target_id: null, tags: [], metadata: {}, details: null });
  expect(row?.['erased']).toEqual(fields.filter((field) => field !== 'metadata.currency').toSorted());
  expect(job.result?.changed).toBe(1);
  const again = await planRedact({ ctx, input: { fields } });
  expect(again.activities).toBe(0);
});

test.each([
  ['action', /fields\.0/],
  ['metadata.', /fields\.0/],
  ['metadata."a', /fields\.0/],
  ['context', /fields\.0/],
  ['', /fields\.0/],
  ['metadata.a.b.c.d.e.f.g.h.i', /fields\.0/],
])('%j is refused by name', async (field, path) => {
  const ctx = core.context();
  await expect(planRedact({ ctx, input: { fields: [field] } })).rejects.toMatchObject({
    code: 'invalid_input',
    path: expect.stringMatching(path),
  });
});

test('without personal:read a filter on a personal field is refused', async () => {
  const ctx = core.context({ principal: { scopes: ['privacy'] } });
  const input = { query: 'actorLabel:"Ada Lovelace"', fields: ['message'] };
  await expect(planRedact({ ctx, input })).rejects.toMatchObject({ code: 'forbidden' });
});

test('what is recorded after the plan was applied is left alone', async () => {
  const ctx = core.context();
  await seed(ctx, [anActivity()]);
  const plan = await planRedact({ ctx, input: { fields: ['message'] } });
  const { id } = await applyRedact({ ctx, input: { planId: plan.id, driftMax: 0 } });
  core.clock.advance(1);
  const late = anActivity({ occurredAt: new Date('2026-01-01T00:00:00Z') });
  await seed(ctx, [late]);
  await runJob(core.services, { tenantId: ctx.tenantId, jobId: id });
  const rows = await inspection.rows(ctx.tenantId);
  expect(rows.find((row) => row['id'] === late.id)?.['message']).toBe(late.message);
});

import { Activity, type ActivityInput, AnnalsError, ApiKey, limits, Plan, Tenant } from '@annals/contract';
import { runJob } from '@annals/core';
import { operatorPrincipal } from '@annals/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAnnals } from './create-annals.ts';
import { type Fetch, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

const minimal: ActivityInput = { action: 'hello.said', actor: { type: 'user', id: 'ada' } };

async function failure(promise: Promise<unknown>): Promise<AnnalsError> {
  const error: unknown = await promise.then(
    () => expect.unreachable(),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(AnnalsError);
  return error as AnnalsError;
}

/** The inputs of the calls that pass. */
function recorder() {
  const calls: { name: string; input: { activities?: { id: string; occurredAt: string }[] } }[] = [];
  const wrap = (fetch: Fetch): Fetch => {
    return (url, init) => {
      const { json } = JSON.parse(init.body as string) as { json: (typeof calls)[number]['input'] };
      calls.push({ name: url.slice(url.lastIndexOf('/') + 1), input: json });
      return fetch(url, init);
    };
  };
  return { calls, wrap };
}

describe('log', () => {
  test('stores an activity and tells its id and times', async () => {
    const client = await network.client();
    const item = await client.log({ ...minimal, metadata: { at: 1 } });
    expect(item).toMatchObject({ status: 'stored', recordedAt: expect.any(Date) });
    const stored = await client.get(item.id);
    expect(Activity.parse(stored)).toMatchObject({ ...minimal, metadata: { at: 1 } });
    expect(stored.occurredAt).toEqual(item.occurredAt);
  });

  test('the id carries the time of the activity, given or not', async () => {
    const client = await network.client();
    const occurredAt = new Date('2026-03-01T00:00:00.123Z');
    for (const activity of [minimal, { ...minimal, occurredAt }]) {
      const { id, occurredAt: time } = await client.log(activity);
      expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(time.getTime());
    }
  });

  test('the same id is a duplicate, an idempotency key the same activity for ever', async () => {
    const client = await network.client();
    const keyed = { ...minimal, idempotencyKey: 'k', occurredAt: new Date('2026-03-01T00:00:00Z') };
    expect([(await client.log(keyed)).status, (await client.log(keyed)).status]).toEqual([
      'stored',
      'duplicate',
    ]);
    const { id, occurredAt } = await client.log(minimal);
    expect((await client.log({ ...minimal, id, occurredAt })).status).toBe('duplicate');
  });

  test('a refusal is thrown with its path within the activity', async () => {
    const client = await network.client();
    const long = { ...minimal, actor: { type: 'user' as const, id: 'x'.repeat(257) } };
    expect(await failure(client.log(long))).toMatchObject({
      code: 'invalid_input',
      path: 'actor.id',
      limit: 256,
      status: 400,
    });
    expect(await failure(client.log({ ...minimal, metadata: { n: Number.NaN } }))).toMatchObject({
      code: 'invalid_input',
      path: 'metadata.n',
    });
    expect(await failure(client.log({ ...minimal, message: 'x'.repeat(limits.callBytesMax) }))).toMatchObject(
      {
        code: 'too_large',
        limit: limits.activityBytesMax,
      },
    );
    expect(await failure(client.log({ ...minimal, occurredAt: 'yesterday' }))).toMatchObject({
      path: 'occurredAt',
    });
  });

  test("changes of the caller's object after the call are not sent", async () => {
    const client = await network.client();
    const activity = { ...minimal, metadata: { plan: { name: 'pro' } } };
    const logging = client.log(activity);
    activity.metadata.plan.name = 'changed';
    expect((await client.get((await logging).id)).metadata).toEqual({ plan: { name: 'pro' } });
    expect(activity).not.toHaveProperty('id');
  });
});

describe('logMany', () => {
  test('a bad one never loses the others, and each is told in its place of the whole list', async () => {
    const { calls, wrap } = recorder();
    const client = await network.client({ wrap });
    const many = Array.from({ length: 1_203 }, (_, n) => ({ ...minimal, metadata: { n } }));
    const bad = [5, 1_100] as const;
    many[3] = { ...minimal, metadata: { n: Number.NaN } };
    for (const index of bad) many[index] = { ...minimal, action: 'BAD', metadata: { n: index } };
    const result = await client.logMany(many);
    expect(result).toMatchObject({ stored: 1_200, duplicates: 0, refused: 3 });
    const refused = result.results.flatMap((item) => (item.status === 'refused' ? [item.path] : []));
    expect(refused).toEqual(['activities.3.metadata.n', 'activities.5.action', 'activities.1100.action']);
    expect(calls.map(({ input }) => input.activities?.length)).toEqual([1_000, 202]);
    const { count } = await client.count('action:hello.said');
    expect(count).toBe(1_200);
  });

  test('calls stay below the limit of bytes', async () => {
    const sizes: number[] = [];
    const wrap =
      (fetch: Fetch): Fetch =>
      (url, init) => {
        sizes.push(Buffer.byteLength(init.body as string));
        return fetch(url, init);
      };
    const client = await network.client({ wrap });
    // Two bytes a character, so that lengths and bytes differ.
    const message = 'ä'.repeat(8_000);
    const metadata = { more: message, most: message };
    const many = Array.from({ length: 150 }, () => ({ ...minimal, message, metadata }));
    expect(await client.logMany(many)).toMatchObject({ stored: 150 });
    expect(sizes.length).toBe(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.callBytesMax);
  });

  test('nothing to log calls nobody', async () => {
    const { calls, wrap } = recorder();
    const client = await network.client({ wrap });
    expect(await client.logMany([])).toMatchObject({ results: [], stored: 0, batches: [] });
    expect(calls).toEqual([]);
  });

  test('when a later call fails, what the first stored is still told', async () => {
    let calls = 0;
    const wrap =
      (fetch: Fetch): Fetch =>
      async (url, init) => {
        calls += 1;
        if (calls > 1) throw new TypeError('fetch failed');
        return fetch(url, init);
      };
    const client = await network.client({ wrap });
    const result = await client.logMany(Array.from({ length: 2_500 }, () => minimal));
    expect(result).toMatchObject({ stored: 1_000, refused: 1_500 });
    expect(result.results[2_499]).toEqual({
      status: 'refused',
      code: 'unavailable',
      message: 'the server cannot be reached',
      path: 'activities.2499',
    });
    expect(calls).toBe(6);
  });
});

describe('reads', () => {
  test('list gives every activity once, in order, fetching pages only as they are needed', async () => {
    const { calls, wrap } = recorder();
    const client = await network.client({ wrap });
    const times = Array.from({ length: 25 }, (_, n) => new Date(Date.UTC(2026, 0, 1, 0, n)));
    await client.logMany(times.map((occurredAt) => ({ ...minimal, occurredAt })));
    calls.length = 0;
    const oldest = client.list({ action: 'hello.said' }, { order: 'oldest', pageSize: 10 });
    const seen: Date[] = [];
    for await (const { occurredAt } of oldest) seen.push(occurredAt);
    expect(seen).toEqual(times);
    expect(calls.map(({ name }) => name)).toEqual(Array(3).fill('activity.list'));
    for await (const _ of client.list('action:hello.said', { pageSize: 10 })) break;
    expect(calls).toHaveLength(4);
    const sizes: number[] = [];
    for await (const page of oldest.pages()) sizes.push(page.activities.length);
    expect(sizes).toEqual([10, 10, 5]);
  });

  test('a filter that is changed between two pages is the filter of the call', async () => {
    const client = await network.client();
    await client.logMany([minimal, minimal, { ...minimal, action: 'other.done' }]);
    const filter = { action: ['hello.said'] };
    const seen: string[] = [];
    for await (const { action } of client.list(filter, { pageSize: 1 })) {
      filter.action[0] = 'other.done';
      seen.push(action);
    }
    expect(seen).toEqual(['hello.said', 'hello.said']);
  });

  test('count, stats, facets and summary answer', async () => {
    const client = await network.client();
    const occurredAt = new Date('2026-01-01T12:00:00Z');
    await client.logMany([
      { ...minimal, occurredAt },
      { ...minimal, occurredAt, action: 'bye.said' },
    ]);
    const own = { query: 'action:*.said' };
    expect(await client.count({ action: 'bye.said' })).toEqual({ count: 1, capped: false });
    expect(await client.stats({ query: 'actor:ada', groupBy: ['actor'], interval: 'day' })).toEqual({
      rows: [{ from: new Date('2026-01-01'), group: { actor: 'ada' }, count: 2 }],
      truncated: false,
    });
    const facets = await client.facets({ query: 'actor:ada', fields: ['action'] });
    expect(facets.facets[0]?.values).toEqual([
      { value: 'bye.said', count: 1 },
      { value: 'hello.said', count: 1 },
    ]);
    expect(await client.summary({ actor: 'ada' })).toMatchObject({ total: 2, firstSeen: occurredAt });
    expect((await failure(client.count(own.query))).code).toBe('invalid_query');
  });

  test('an export is recorded', async () => {
    const client = await network.client();
    await client.log(minimal);
    const exported: string[] = [];
    for await (const { action } of client.export('actor:ada')) exported.push(action);
    expect(exported).toEqual(['hello.said']);
    expect(await client.count('action:annals.exported')).toEqual({ count: 1, capped: false });
  });
});

describe('privacy, retention, jobs', () => {
  test('a person is anonymized: plan, apply, watch to the end', async () => {
    const client = await network.client();
    const { id } = await client.log(minimal);
    const plan = await client.privacy.planAnonymize({ ids: ['ada'] });
    expect(Plan.parse(plan)).toMatchObject({ activities: 1, confirm: 'ada' });
    const job = await client.privacy.applyAnonymize({ planId: plan.id });
    expect(job.status).toBe('queued');
    await runJob(network.services, { tenantId: job.tenantId, jobId: job.id });
    const states: string[] = [];
    for await (const { status } of client.jobs.watch(job.id)) states.push(status);
    expect(states).toEqual(['completed']);
    expect((await client.get(id)).actor).toEqual({ type: 'user' });
    expect((await client.jobs.list()).map((each) => each.id)).toEqual([job.id]);
    expect((await failure(client.jobs.cancel(job.id))).code).toBe('job_ended');
    expect((await failure(client.privacy.applyAnonymize({ planId: plan.id }))).code).toBe('plan_not_open');
  });

  test('fields are redacted', async () => {
    const client = await network.client();
    const { id } = await client.log({ ...minimal, message: 'secret' });
    const plan = await client.privacy.planRedact({ query: 'actor:ada', fields: ['message'] });
    const job = await client.privacy.applyRedact({ planId: plan.id, driftMax: 0.5 });
    await runJob(network.services, { tenantId: job.tenantId, jobId: job.id });
    expect(await client.get(id)).toMatchObject({ erased: ['message'] });
  });

  test('what has expired is purged', async () => {
    const client = await network.client();
    await client.log({ ...minimal, occurredAt: new Date('2026-01-01T00:00:00Z') });
    const policy = { name: 'short', keepDays: 1, since: 'occurredAt' as const };
    expect(await client.retention.setPolicies([policy])).toEqual([policy]);
    expect(await client.retention.policies()).toEqual([policy]);
    const plan = await client.retention.plan();
    expect(plan).toMatchObject({ kind: 'retention', activities: 1 });
    const job = await client.retention.apply({ planId: plan.id });
    expect(await client.jobs.cancel(job.id)).toMatchObject({ status: 'cancelled' });
    expect((await failure(client.jobs.resume(job.id))).code).toBe('job_ended');
  });
});

describe('keys and tenants', () => {
  test('a key is made, used, listed and revoked', async () => {
    const client = await network.client();
    const { key, secret } = await client.keys.create({ name: 'Backend', scopes: ['activities:write'] });
    const own = createAnnals({ url: 'http://annals.test', apiKey: secret, fetch: network.fetchWithKeys });
    expect(await own.keys.current()).toEqual(key);
    await own.log(minimal);
    expect((await failure(own.get(crypto.randomUUID()))).code).toBe('forbidden');
    expect((await client.keys.list()).map((each) => ApiKey.parse(each).id)).toEqual([key.id]);
    expect(await client.keys.revoke(key.id)).toMatchObject({ revokedAt: expect.any(Date) });
    expect((await failure(own.log(minimal))).code).toBe('unauthenticated');
  });

  test('tenants are listed, and named for one call', async () => {
    const operator = createAnnals({
      url: 'http://annals.test',
      fetch: network.fetchAs(operatorPrincipal()),
    });
    await operator.tenants.create({ id: 'one-call', name: 'One' });
    const found = (await operator.tenants.list()).find(({ id }) => id === 'one-call');
    expect(Tenant.parse(found)).toMatchObject({ name: 'One' });
    await operator.log(minimal, { tenantId: 'one-call' });
    expect(await operator.count('actor:ada', { tenantId: 'one-call' })).toMatchObject({ count: 1 });
    expect(await failure(operator.log(minimal))).toMatchObject({ code: 'invalid_input', path: 'tenantId' });
    expect((await failure(operator.log(minimal, { tenantId: 'none' }))).code).toBe('not_found');
  });
});

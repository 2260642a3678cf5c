import { AnnalsError, ApiKey, type ErrorInfo, type Scope } from '@annals/contract';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listActivities } from '../activity/list.ts';
import { type Context, deploymentTenant } from '../context.ts';
import { createTenant } from '../tenant/create-tenant.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { authenticate } from './authenticate.ts';
import { bootstrapKey } from './bootstrap-key.ts';
import { createKey } from './create-key.ts';
import { currentKey } from './current-key.ts';
import { listKeys } from './list-keys.ts';
import { revokeKey } from './revoke-key.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const scopes: Scope[] = ['activities:read', 'personal:read'];

async function aKey(ctx: Context) {
  return createKey({ ctx, input: { name: 'Backend', scopes } });
}

async function refusal(promise: Promise<unknown>): Promise<ErrorInfo> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(AnnalsError);
  const { code, message, path } = error as AnnalsError;
  return { code, message, ...(path !== undefined && { path }) };
}

async function recordedActions(ctx: Context): Promise<string[]> {
  const page = await listActivities({ ctx, input: { order: 'oldest', limit: 50 } });
  // Records of one millisecond have no order among themselves.
  return page.activities.map(({ action }) => action).toSorted();
}

describe('authenticate', () => {
  test('a key proves its id, name, tenant and scopes', async () => {
    const ctx = core.context();
    const { key, secret } = await aKey(ctx);
    expect(await authenticate(core.services, secret)).toEqual({
      keyId: key.id,
      keyName: 'Backend',
      tenantId: ctx.tenantId,
      scopes,
    });
  });

  test('missing, malformed, unknown, wrong, revoked and expired keys are told the same', async () => {
    const ctx = core.context();
    const { secret } = await aKey(ctx);
    const revoked = await aKey(ctx);
    await revokeKey({ ctx, input: { id: revoked.key.id } });
    const expiresAt = new Date(core.clock.now().getTime() + 1_000);
    const expired = await createKey({ ctx, input: { name: 'short', scopes, expiresAt } });
    core.clock.advance(1_000);
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    const unknown = `annals_${'0'.repeat(16)}_${'x'.repeat(43)}`;
    const refused = [undefined, '', 'annals_', wrong, unknown, revoked.secret, expired.secret, `${secret} `];
    const answers = await Promise.all(refused.map((key) => refusal(authenticate(core.services, key))));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.code).toBe('unauthenticated');
  });

  test('a revocation holds from the next call on', async () => {
    const ctx = core.context();
    const { key, secret } = await aKey(ctx);
    await authenticate(core.services, secret);
    await revokeKey({ ctx, input: { id: key.id } });
    expect((await refusal(authenticate(core.services, secret))).code).toBe('unauthenticated');
  });

  test('calls that come at the same time are asked of the database together, each for its own key', async () => {
    const { db } = core.services;
    const keys = await Promise.all(Array.from({ length: 5 }, () => aKey(core.context())));
    let asked = 0;
    const query: typeof db.query = (statement) => {
      asked += 1;
      return db.query(statement);
    };
    const services = { ...core.services, db: { ...db, query } };
    const unknown = `annals_${'0'.repeat(16)}_${'x'.repeat(43)}`;
    const called = [...keys, ...keys].map(({ secret }) => authenticate(services, secret));
    const refused = refusal(authenticate(services, unknown));
    const principals = await Promise.all(called);
    expect(principals.map(({ keyId }) => keyId)).toEqual([...keys, ...keys].map(({ key }) => key.id));
    expect((await refused).code).toBe('unauthenticated');
    expect(asked).toBe(1);
  });

  test('a call is never answered by what was asked before it was made', async () => {
    const ctx = core.context();
    const { key, secret } = await aKey(ctx);
    const { db } = core.services;
    const [asked, may] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const query: typeof db.query = async (statement) => {
      const rows = await db.query(statement);
      asked.resolve();
      await may.promise;
      return rows;
    };
    const services = { ...core.services, db: { ...db, query } };
    const before = authenticate(services, secret);
    await asked.promise;
    await revokeKey({ ctx, input: { id: key.id } });
    const after = refusal(authenticate(services, secret));
    may.resolve();
    expect(await before).toMatchObject({ keyId: key.id });
    expect((await after).code).toBe('unauthenticated');
  });

  test('all that are asked together are told when the database cannot be asked', async () => {
    const gone = new AnnalsError({ code: 'unavailable', message: 'gone' });
    const query = () => Promise.reject(gone);
    const services = { ...core.services, db: { ...core.services.db, query } };
    const { secret } = await aKey(core.context());
    const calls = [1, 2, 3].map(() => refusal(authenticate(services, secret)));
    for (const call of calls) expect((await call).code).toBe('unavailable');
  });
});

describe('createKey', () => {
  test('stores a hash of the secret and never the secret', async () => {
    const ctx = core.context();
    const created = await aKey(ctx);
    expect(created.secret).toMatch(/^annals_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
    const stored = await ctx.db.transaction(ctx.tenantId, (tx) =>
      tx.query(sql<{ row: string }>`select to_json(k)::text as row from annals.api_key k`),
    );
    expect(stored).toHaveLength(1);
    expect(stored[0]?.row).not.toContain(created.secret.slice(-43));
  });

  test('a caller cannot give scopes that it lacks', async () => {
    const ctx = core.context({ principal: { scopes: ['admin'] } });
    expect(await refusal(aKey(ctx))).toEqual({
      code: 'forbidden',
      message: 'a key cannot give scopes that it lacks: activities:read, personal:read',
      path: 'scopes',
    });
    expect((await listKeys({ ctx })).keys).toEqual([]);
  });

  test('a key is not born expired', async () => {
    const ctx = core.context();
    const input = { name: 'late', scopes, expiresAt: core.clock.now() };
    expect(await refusal(createKey({ ctx, input }))).toMatchObject({
      code: 'invalid_input',
      path: 'expiresAt',
    });
  });

  test('key and record are committed together, and the record has no secret', async () => {
    const ctx = core.context();
    const { key, secret } = await aKey(ctx);
    const { activities } = await listActivities({ ctx, input: { order: 'newest', limit: 50 } });
    expect(activities).toHaveLength(1);
    expect(activities[0]).toMatchObject({
      action: 'annals.key_created',
      actor: { type: 'integration', label: 'test' },
      target: { type: 'api_key', id: key.prefix, label: 'Backend' },
      metadata: { scopes },
    });
    expect(JSON.stringify(activities)).not.toContain(secret.slice(-43));
  });
});

describe('revokeKey, listKeys, currentKey', () => {
  test('revoking twice changes and records nothing more', async () => {
    const ctx = core.context();
    const { key } = await aKey(ctx);
    const first = await revokeKey({ ctx, input: { id: key.id } });
    core.clock.advance(1);
    expect(await revokeKey({ ctx, input: { id: key.id } })).toEqual(first);
    expect(first.revokedAt).toBeInstanceOf(Date);
    expect(await recordedActions(ctx)).toEqual(['annals.key_created', 'annals.key_revoked']);
  });

  test('of racing revocations one is recorded', async () => {
    const ctx = core.context();
    const { key } = await aKey(ctx);
    await Promise.all(Array.from({ length: 4 }, () => revokeKey({ ctx, input: { id: key.id } })));
    expect(await recordedActions(ctx)).toEqual(['annals.key_created', 'annals.key_revoked']);
  });

  test("another tenant's key is neither listed nor revoked", async () => {
    const [ctx, other] = [core.context(), core.context()];
    const { key, secret } = await aKey(ctx);
    const missing = await refusal(revokeKey({ ctx: other, input: { id: '0'.repeat(16) } }));
    expect(await refusal(revokeKey({ ctx: other, input: { id: key.id } }))).toEqual(missing);
    expect((await listKeys({ ctx: other })).keys).toEqual([]);
    await authenticate(core.services, secret);
  });

  test('keys are listed newest first, revoked ones too, as the contract has them', async () => {
    const ctx = core.context();
    const old = await aKey(ctx);
    core.clock.advance(1);
    const young = await aKey(ctx);
    await revokeKey({ ctx, input: { id: old.key.id } });
    const { keys } = await listKeys({ ctx });
    expect(keys.map(({ id }) => id)).toEqual([young.key.id, old.key.id]);
    for (const key of keys) expect(ApiKey.parse(key)).toEqual(key);
  });

  test('currentKey is the key of the caller, and not_found for a caller without', async () => {
    const ctx = core.context();
    const { key, secret } = await aKey(ctx);
    const principal = await authenticate(core.services, secret);
    expect(await currentKey({ ctx: { ...ctx, principal } })).toEqual(key);
    expect((await refusal(currentKey({ ctx }))).code).toBe('not_found');
  });
});

describe('bootstrapKey', () => {
  test('makes a missing tenant and leaves one that is there', async () => {
    const key = { tenantId: 'fresh', name: 'dev', scopes };
    const { secret } = await bootstrapKey(core.services, key);
    await bootstrapKey(core.services, key);
    expect(await authenticate(core.services, secret)).toMatchObject({ tenantId: 'fresh', scopes });
    expect(await recordedActions(core.context({ tenantId: 'fresh' }))).toEqual([
      'annals.key_created',
      'annals.key_created',
      'annals.tenant_created',
    ]);
  });

  test("makes a key of the deployment, which can make tenants where a tenant's key cannot", async () => {
    const { key, secret } = await bootstrapKey(core.services, {
      tenantId: deploymentTenant,
      name: 'root',
      scopes: ['admin'],
    });
    expect(key).not.toHaveProperty('tenantId');
    const principal = await authenticate(core.services, secret);
    const ctx = core.context({ tenantId: deploymentTenant, principal });
    const input = { id: 'made' };
    const tenant = { id: 'made', name: 'made', createdAt: core.clock.now() };
    expect(await createTenant({ ctx, input })).toEqual(tenant);
    expect(await refusal(createTenant({ ctx, input }))).toMatchObject({ code: 'invalid_input', path: 'id' });
    expect((await refusal(createTenant({ ctx: core.context(), input }))).code).toBe('forbidden');
  });
});

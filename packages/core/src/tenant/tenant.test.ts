import { AnnalsError } from '@annals/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Context, deploymentTenant } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { createTenant } from './create-tenant.ts';
import { listTenants } from './list-tenants.ts';
import { resolveTenant } from './resolve-tenant.ts';

let core: TestCore;
let operator: Context;
beforeAll(async () => {
  core = await openTestCore();
  operator = core.context({ tenantId: deploymentTenant });
  await createTenant({ ctx: operator, input: { id: 'acme', name: 'Acme' } });
  await createTenant({ ctx: operator, input: { id: 'zeta' } });
});
afterAll(() => core.close());

const acme = () => core.context({ tenantId: 'acme' });

async function resolve(ctx: Context, tenantId: string | undefined, write = false): Promise<unknown> {
  try {
    return await resolveTenant(ctx, ctx.principal, { tenantId, write });
  } catch (error) {
    expect(error).toBeInstanceOf(AnnalsError);
    const { code, message, path, limit } = error as AnnalsError;
    return { code, message, path, limit };
  }
}

const notFound = { code: 'not_found', message: 'no such tenant', path: 'tenantId', limit: undefined };

test("a tenant's key means its own tenant, named or not", async () => {
  expect(await resolve(acme(), undefined, true)).toBe('acme');
  expect(await resolve(acme(), 'acme')).toBe('acme');
});

test("a tenant's key cannot tell a tenant that exists from one that does not", async () => {
  expect(await resolve(acme(), 'zeta')).toEqual(notFound);
  expect(await resolve(acme(), 'missing')).toEqual(notFound);
});

test('a key of the deployment may name any tenant that exists', async () => {
  expect(await resolve(operator, 'zeta', true)).toBe('zeta');
  expect(await resolve(operator, 'missing')).toEqual(notFound);
});

test('a key of the deployment that names none reads of the deployment and writes nowhere', async () => {
  expect(await resolve(operator, undefined)).toBe(deploymentTenant);
  expect(await resolve(operator, undefined, true)).toMatchObject({ code: 'invalid_input', path: 'tenantId' });
});

test("a tenant's key lists its own tenant, the deployment's all", async () => {
  const createdAt = core.clock.now();
  const tenants = [
    { id: 'acme', name: 'Acme', createdAt },
    { id: 'zeta', name: 'zeta', createdAt },
  ];
  expect(await listTenants({ ctx: acme() })).toEqual({ tenants: tenants.slice(0, 1) });
  expect(await listTenants({ ctx: operator })).toEqual({ tenants });
});

test('of racing creations of one tenant one succeeds', async () => {
  const attempts = Array.from({ length: 4 }, () => createTenant({ ctx: operator, input: { id: 'raced' } }));
  const settled = await Promise.allSettled(attempts);
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

import { AnnalsError } from '@annals/contract';
import { anActivity, createTestDatabase } from '@annals/testkit';
import { initTRPC, TRPCError } from '@trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import * as superjson from 'superjson';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCall } from './call.ts';
import { createCaller } from './create-caller.ts';
import { errorInfoOf } from './error-info.ts';
import { openAnnals } from './open-annals.ts';
import { operatorPrincipal } from './operator-principal.ts';
import type { AnnalsContext } from './procedure.ts';
import { createAnnalsRouter } from './router.ts';
import { openTestServer, type TestServer } from './testing.ts';

let server: TestServer;
let key: string;
beforeAll(async () => {
  server = await openTestServer();
  key = await server.key({ tenantId: 'mounted' });
});
afterAll(() => server.close());

test("a host's tRPC app serves the router beside its own, through its own transformer and error shape", async () => {
  const t = initTRPC.context<{ db: string } & AnnalsContext>().create({
    transformer: superjson,
    errorFormatter: ({ error, shape }) => ({ ...shape, data: { ...shape.data, annals: errorInfoOf(error) } }),
  });
  const router = t.router({ mine: t.procedure.query(({ ctx }) => ctx.db), audit: createAnnalsRouter() });
  const { services } = server.core;
  const ask = async (path: string, input: unknown): Promise<unknown> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const req = new Request(`http://host/api/${path}`, {
      method: 'POST',
      headers,
      body: superjson.stringify(input),
    });
    const response = await fetchRequestHandler({
      endpoint: '/api',
      req,
      router,
      allowMethodOverride: true,
      createContext: () => ({ db: 'of the host', annals: createCall(req, { services }) }),
    });
    return response.json();
  };
  expect(await ask('mine', undefined)).toMatchObject({ result: { data: { json: 'of the host' } } });
  const activity = anActivity();
  const logged = await ask('audit.activity.log', { activities: [activity] });
  expect(logged).toMatchObject({ result: { data: { json: { stored: 1 } } } });
  const found = await ask('audit.activity.get', { id: activity.id });
  expect(found).toMatchObject({ result: { data: { meta: { values: { occurredAt: ['Date'] } } } } });
  const refused = { code: 'invalid_input', path: 'id', message: 'must be a UUID of version 7' };
  expect(await ask('audit.activity.get', { id: 'x' })).toMatchObject({
    error: { json: { data: { httpStatus: 400, annals: refused } } },
  });
});

test('a caller in process has the same scopes, schemas and errors', async () => {
  const { services } = server.core;
  const caller = createCaller({ services, principal: operatorPrincipal() });
  const { tenants } = await caller.tenant.list({});
  expect(tenants.map(({ id }) => id)).toContain('mounted');
  const error: unknown = await caller.activity.list({ tenantId: 'missing' }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(TRPCError);
  expect((error as TRPCError).cause).toBeInstanceOf(AnnalsError);
  expect(errorInfoOf(error)).toMatchObject({ code: 'not_found', path: 'tenantId' });
});

test('openAnnals migrates, serves, runs jobs and ends', async () => {
  const database = await createTestDatabase({ template: { name: 'empty', create: async () => undefined } });
  const annals = await openAnnals({ database: { url: database.url }, migrate: true, poolMax: 4 });
  try {
    await annals.startWorker({ concurrency: 1 });
    const fetch = annals.localFetch();
    const call = async (name: string, json: object): Promise<{ id: string; status: string }> => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ json });
      const response = await fetch(`http://local/trpc/${name}`, { method: 'POST', headers, body });
      const answer = (await response.json()) as {
        result: { data: { json: { id: string; status: string } } };
      };
      return answer.result.data.json;
    };
    await call('tenant.create', { id: 't' });
    const plan = await call('privacy.planAnonymize', { tenantId: 't', ids: ['nobody'] });
    const job = await call('privacy.applyAnonymize', { tenantId: 't', planId: plan.id });
    let { status } = job;
    while (status === 'queued' || status === 'running') {
      ({ status } = await call('job.get', { tenantId: 't', id: job.id }));
    }
    expect(status).toBe('completed');
    const outside = await annals.handler()(new Request('http://local/trpc/tenant.list'));
    expect(outside.status).toBe(401);
  } finally {
    await annals.close();
    await database.drop();
  }
});

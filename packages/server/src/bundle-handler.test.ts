import { sequenceAll, signCheckpoint } from '@annals/core/testing';
import { anActivity } from '@annals/testkit';
import { verifyAuditBundle } from '@annals/tlog';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployment, openTestServer, type TestServer } from './testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

function get(key?: string, query = '', method = 'GET'): Promise<Response> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return server.handle(new Request(`http://test/api/v1/bundle${query}`, { method, headers }));
}

/** A key of a new tenant with a signed log, and the policy that trusts it. */
async function signedTenant(tenantId: string): Promise<{ key: string; policy: string }> {
  const key = await server.key({ tenantId });
  await server.call('activity.log', { activities: [anActivity(), anActivity()] }, key);
  await sequenceAll(server.core, tenantId);
  return { key, policy: (await signCheckpoint(server.core, tenantId)).policy };
}

describe('a bundle', () => {
  test('is streamed to a key of the tenant, and to one of the deployment that names it', async () => {
    const { key, policy } = await signedTenant('bundled');
    const root = await server.key({ ...deployment });
    for (const response of [await get(key), await get(root, '?tenantId=bundled')]) {
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/x-ndjson');
      expect(response.headers.get('cache-control')).toBe('no-store');
      const bytes = new Uint8Array(await response.arrayBuffer());
      const report = await verifyAuditBundle([bytes], { policy, now: server.core.clock.now() });
      expect(report).toMatchObject({ verdict: 'valid', tenantId: 'bundled' });
    }
  });

  test('is refused as any call is', async () => {
    const { key } = await signedTenant('refusing');
    const other = await server.key({ tenantId: 'other' });
    for (const [response, status, code] of [
      [await get(), 401, 'unauthenticated'],
      [await get(await server.key({ tenantId: 'refusing', scopes: ['export'] })), 403, 'forbidden'],
      [await get(await server.key({ tenantId: 'refusing', scopes: ['personal:read'] })), 403, 'forbidden'],
      [await get(other, '?tenantId=refusing'), 404, 'not_found'],
      [await get(other), 404, 'not_found'],
      [await get(key, '?tenant=refusing'), 400, 'invalid_input'],
    ] as const) {
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ code, requestId: expect.any(String) });
    }
    expect((await get(key, '', 'POST')).status).toBe(405);
  });

  test('that nobody reads on ends without harm, and lets others have theirs', async () => {
    const { key } = await signedTenant('left');
    for (let count = 0; count < 5; count += 1) await (await get(key)).body?.cancel();
    expect(await (await get(key)).text()).toContain('"type":"end"');
  });
});

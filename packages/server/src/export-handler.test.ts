import { gunzipSync } from 'node:zlib';
import { type Activity, mask, type Scope } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExportHandler } from './export-handler.ts';
import { deployment, openTestServer, type TestServer } from './testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

interface Ask {
  readonly key?: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly method?: string;
}

function ask({
  key,
  query = '',
  body,
  method = body === undefined ? 'GET' : 'POST',
}: Ask): Promise<Response> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const init = { method, headers, ...(body !== undefined && { body: text }) };
  return server.handle(new Request(`http://test/api/v1/export${query}`, init));
}

function linesOf(text: string): Activity[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Activity);
}

/** A key of a new tenant with three activities, two of which are of one action. */
async function filledTenant(tenantId: string, scopes?: readonly Scope[]) {
  const key = await server.key({ tenantId });
  const activities = [anActivity(), anActivity(), anActivity({ action: 'other.done' })];
  await server.call('activity.log', { activities }, key);
  return scopes ? server.key({ tenantId, scopes }) : key;
}

describe('an export', () => {
  test('is one answer of lines, by a query in the URL or the input in the body', async () => {
    const key = await filledTenant('exported');
    const root = await server.key({ ...deployment });
    const query = 'action:invoice.*';
    for (const response of [
      await ask({ key, query: `?order=oldest&query=${encodeURIComponent(query)}` }),
      await ask({ key, body: { order: 'oldest', query } }),
      await ask({ key, body: { order: 'oldest', filter: { action: { any: ['invoice.*'] } } } }),
      await ask({ key: root, body: { query, tenantId: 'exported' } }),
    ]) {
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/x-ndjson');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('x-annals-export')).toMatch(/^[0-9a-f-]{36}\.[\w-]{22}$/);
      expect(linesOf(await response.text())).toMatchObject([
        { action: 'invoice.voided' },
        { action: 'invoice.voided' },
      ]);
    }
  });

  test('is packed where that is asked for', async () => {
    const key = await filledTenant('packed');
    const response = await ask({ key, query: '?gzip=1' });
    expect(response.headers.get('content-type')).toBe('application/gzip');
    const text = gunzipSync(new Uint8Array(await response.arrayBuffer())).toString();
    // With its own record and those of the keys.
    expect(linesOf(text).length).toBeGreaterThanOrEqual(3);
  });

  test('goes on behind the last line that came, and is recorded once', async () => {
    const key = await filledTenant('cut');
    const asked = { order: 'oldest', query: 'action:invoice.*' };
    const response = await ask({ key, body: asked });
    const pass = response.headers.get('x-annals-export');
    const [first, second] = linesOf(await response.text());
    const rest = await ask({ key, body: { ...asked, cursor: `${first?.id}.${pass}` } });
    expect(rest.headers.get('x-annals-export')).toBe(pass);
    expect(linesOf(await rest.text())).toEqual([second]);
    expect(await (await ask({ key, body: { ...asked, cursor: `${second?.id}.${pass}` } })).text()).toBe('');
    const records = await server.call('activity.count', { query: 'action:annals.exported' }, key);
    expect(records.data).toMatchObject({ count: 1 });
  });

  test('masks what the key may not see', async () => {
    const key = await filledTenant('masked', ['export']);
    const response = await ask({ key, query: '?query=action:other.done' });
    expect(linesOf(await response.text())).toMatchObject([{ actor: { label: mask }, context: { ip: mask } }]);
  });

  test('is refused as any call is', async () => {
    const key = await filledTenant('refusing');
    const reader = await server.key({ tenantId: 'refusing', scopes: ['activities:read'] });
    for (const [asked, status, told] of [
      [{}, 401, { code: 'unauthenticated' }],
      [{ key: reader }, 403, { code: 'forbidden' }],
      [{ key, query: '?limit=5' }, 400, { code: 'invalid_input', path: 'limit' }],
      [{ key, query: '?gzip=yes' }, 400, { code: 'invalid_input', path: 'gzip' }],
      [{ key, query: '?order=random' }, 400, { code: 'invalid_input', path: 'order' }],
      [{ key, query: '?query=severity:' }, 400, { code: 'invalid_query' }],
      [{ key, query: '?tenantId=none' }, 404, { code: 'not_found' }],
      [{ key, body: '{' }, 400, { code: 'invalid_input' }],
      [{ key, body: 'null' }, 400, { code: 'invalid_input' }],
      [{ key, body: {}, query: '?order=oldest' }, 400, { code: 'invalid_input', path: 'order' }],
      [{ key, body: { cursor: 'x' } }, 400, { code: 'invalid_input', path: 'cursor' }],
      [{ key, body: 'x'.repeat(5_000_000) }, 413, { code: 'too_large' }],
    ] as const) {
      const response = await ask(asked);
      expect([response.status, await response.json()]).toMatchObject([
        status,
        { ...told, requestId: expect.any(String) },
      ]);
    }
    expect((await ask({ key, method: 'PUT' })).status).toBe(405);
    const records = await server.call('activity.count', { query: 'action:annals.exported' }, key);
    expect(records.data).toMatchObject({ count: 0 });
  });

  test('that is left while its next lines are on their way is no failure', async () => {
    const key = await filledTenant('hurried');
    const { services } = server.core;
    const failures: unknown[] = [];
    const note = (fields: object) => failures.push(fields);
    const log = { ...services.log, warn: note, error: note };
    const handle = createExportHandler({ services: { ...services, log } });
    const headers = { authorization: `Bearer ${key}` };
    const { body } = await handle(new Request('http://test/api/v1/export', { headers }));
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    const coming = reader.read();
    await reader.cancel();
    expect((await coming).done).toBe(true);
    expect(failures).toEqual([]);
  });

  test('that nobody reads on ends without harm, and lets others have theirs', async () => {
    const key = await filledTenant('left');
    for (let count = 0; count < 5; count += 1) await (await ask({ key })).body?.cancel();
    expect(linesOf(await (await ask({ key, query: '?query=action:invoice.*' })).text())).toHaveLength(2);
  });
});

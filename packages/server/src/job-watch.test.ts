import { limits } from '@annals/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestServer, type TestServer } from './testing.ts';

let server: TestServer;
let key: string;
let jobId: string;
beforeAll(async () => {
  server = await openTestServer();
  key = await server.key({ tenantId: 'watched' });
  const plan = await server.call('privacy.planAnonymize', { ids: ['nobody'] }, key);
  const job = await server.call('privacy.applyAnonymize', { planId: (plan.data as { id: string }).id }, key);
  jobId = (job.data as { id: string }).id;
});
afterAll(() => server.close());

function watch(id: string, signal?: AbortSignal, watcher = key): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${watcher}` };
  const body = JSON.stringify({ json: { id } });
  const init = { method: 'POST', headers, body, ...(signal && { signal }) };
  return server.handle(new Request('http://test/trpc/job.watch', init));
}

function eventsOf(response: Response): ReadableStreamDefaultReader<string> {
  if (!response.body) throw new Error('no body');
  return response.body.pipeThrough(new TextDecoderStream()).getReader();
}

/** What arrives up to a text, or up to the end. */
async function readUntil(events: ReadableStreamDefaultReader<string>, text: string): Promise<string> {
  let seen = '';
  while (!seen.includes(text)) {
    const { value, done } = await events.read();
    if (done) return `${seen}<end>`;
    seen += value;
  }
  return seen;
}

test('the job arrives as an event of superjson', async () => {
  const response = await watch(jobId);
  expect(response.headers.get('content-type')).toMatch('text/event-stream');
  expect(response.headers.get('x-request-id')).toBeTruthy();
  const events = eventsOf(response);
  const data = /data: (\{"json":.*\})/.exec(await readUntil(events, '"status"'))?.[1] ?? '';
  expect(JSON.parse(data)).toMatchObject({
    json: { id: jobId, status: 'queued' },
    meta: { values: { createdAt: ['Date'] } },
  });
  await events.cancel();
});

test('the stream ends when the caller goes away', async () => {
  const leaving = new AbortController();
  const events = eventsOf(await watch(jobId, leaving.signal));
  await readUntil(events, '"status"');
  leaving.abort();
  expect(await readUntil(events, 'never')).toMatch(/<end>$/);
});

test('a key that is revoked meanwhile is told nothing more', async () => {
  const made = await server.call('key.create', { name: 'watcher', scopes: ['privacy'] }, key);
  const { key: watcher, secret } = made.data as { key: { id: string }; secret: string };
  const plan = await server.call('privacy.planAnonymize', { ids: ['somebody'] }, key);
  const job = await server.call('privacy.applyAnonymize', { planId: (plan.data as { id: string }).id }, key);
  const { id } = job.data as { id: string };
  const events = eventsOf(await watch(id, undefined, secret));
  await readUntil(events, '"status"');
  await server.call('key.revoke', { id: watcher.id }, key);
  await server.call('job.cancel', { id }, key);
  const rest = await readUntil(events, 'never');
  expect(rest).toContain('"code":"unauthenticated"');
  expect(rest).not.toContain(id);
});

test('a tenant has so many watches at once, and others have theirs', async () => {
  const other = await server.key();
  const watches = await Promise.all(
    Array.from({ length: limits.watchesPerTenantMax }, () => watch(jobId).then(eventsOf)),
  );
  for (const events of watches) await readUntil(events, '"status"');
  expect(await readUntil(eventsOf(await watch(jobId)), 'never')).toContain('"code":"unavailable"');
  const others = await readUntil(eventsOf(await watch(jobId, undefined, other)), 'never');
  expect(others).toContain('"code":"not_found"');
  for (const events of watches) await events.cancel();
  const again = eventsOf(await watch(jobId));
  await readUntil(again, '"status"');
  await again.cancel();
});

test('the stream ends with the job', async () => {
  const events = eventsOf(await watch(jobId));
  await readUntil(events, '"status"');
  await server.call('job.cancel', { id: jobId }, key);
  const rest = await readUntil(events, 'never');
  expect(rest).toContain('"status":"cancelled"');
  expect(rest).toMatch(/event: return[^]*<end>$/);
});

test.each([
  ['not_found', crypto.randomUUID()],
  ['invalid_input', 'x'],
])('what is refused arrives as an error event: %s', async (code, id) => {
  const text = await readUntil(eventsOf(await watch(id)), 'never');
  expect(text).toContain('event: serialized-error');
  expect(text).toContain(`"annals":{"code":"${code}"`);
  expect(text).not.toContain('stack');
});

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

function watch(id: string, signal?: AbortSignal): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
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

import { AnnalsError, type ErrorCode } from '@annals/contract';
import { describe, expect, test } from 'vitest';
import { createAnnals } from './create-annals.ts';
import type { ClientOptions } from './options.ts';
import { AttemptFailed, createBackoff, retryAfterMsOf } from './retrying.ts';
import { noPauses } from './testing.ts';

const url = 'http://annals.test/';
const count = { result: { data: { json: { count: 1, capped: false } } } };

function told(code: ErrorCode, status: number, headers: Record<string, string> = {}): Response {
  const annals = { code, message: 'told', path: 'p', requestId: 'r' };
  return Response.json(
    { error: { json: { message: 'told', code: -32_600, data: { annals } } } },
    { status, headers },
  );
}

/** A server that gives these answers one after the other, and a client of it. */
function scripted(answers: (Response | Error)[], options: Partial<ClientOptions> = {}) {
  const bodies: string[] = [];
  const urls: string[] = [];
  const fetch = async (to: string, init: RequestInit): Promise<Response> => {
    urls.push(to);
    bodies.push(init.body as string);
    const answer = answers.shift() ?? Response.json(count);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { bodies, urls, client: createAnnals({ url, fetch, retry: noPauses, ...options }) };
}

/** Never answers, and pays no heed to signals. */
const silent = () => new Promise<Response>(() => undefined);

async function failure(promise: Promise<unknown>): Promise<AnnalsError> {
  const error: unknown = await promise.catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(AnnalsError);
  return error as AnnalsError;
}

describe('attempts', () => {
  test('passing failures of a query are tried again', async () => {
    const { client, bodies, urls } = scripted(
      [
        new TypeError('fetch failed'),
        told('unavailable', 503),
        told('overloaded', 429, { 'retry-after': '0' }),
        new Response('<html>', { status: 502 }),
        new Response('slow down', { status: 429 }),
      ],
      { retry: { ...noPauses, attemptsMax: 6 } },
    );
    expect(await client.count('actor:ada')).toEqual({ count: 1, capped: false });
    expect(bodies).toEqual(Array(6).fill('{"json":{"query":"actor:ada"}}'));
    expect(urls[0]).toBe('http://annals.test/trpc/activity.count');
  });

  test('an activity is the same in every attempt', async () => {
    const item = { status: 'duplicate', id: crypto.randomUUID(), occurredAt: new Date(0) };
    const json = { results: [item], stored: 0, duplicates: 1, refused: 0, ack: 'committed', batches: [] };
    const { client, bodies } = scripted([
      new TypeError('socket hang up'),
      Response.json({ result: { data: { json } } }),
    ]);
    await client.log({ action: 'hello.said', actor: { type: 'user', id: 'ada' } });
    expect(bodies[0]).toMatch(/"id":"[0-9a-f-]{36}"/);
    expect(bodies[0]).toMatch(/"occurredAt":"\d{4}-/);
    expect(bodies[1]).toBe(bodies[0]);
  });

  test('the attempts are numbered, and the last failure is thrown with its cause', async () => {
    const cause = new TypeError('fetch failed');
    const { client, bodies } = scripted([cause, cause, cause], { retry: { ...noPauses, attemptsMax: 3 } });
    const error = await failure(client.count());
    expect(error).toMatchObject({ code: 'unavailable', message: 'the server cannot be reached', cause });
    expect(bodies).toHaveLength(3);
  });

  test.each<[ErrorCode, number]>([
    ['invalid_input', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['not_found', 404],
    ['plan_drifted', 409],
    ['too_large', 413],
    ['timeout', 504],
    ['internal', 500],
  ])('%s is final, and told as the server tells it', async (code, status) => {
    const { client, bodies } = scripted([told(code, status)]);
    expect(await failure(client.count())).toMatchObject({ code, message: 'told', path: 'p', requestId: 'r' });
    expect(bodies).toHaveLength(1);
  });

  test.each<[string, (client: ReturnType<typeof createAnnals>) => Promise<unknown>]>([
    ['a plan', (client) => client.privacy.planAnonymize({ ids: ['x'] })],
    ['an apply', (client) => client.retention.apply({ planId: 'x' })],
    ['a new key', (client) => client.keys.create({ name: 'x', scopes: ['admin'] })],
    ['a new tenant', (client) => client.tenants.create({ id: 'x' })],
  ])('%s is not made twice', async (_name, call) => {
    const { client, bodies } = scripted([told('unavailable', 503)]);
    expect((await failure(call(client))).code).toBe('unavailable');
    expect(bodies).toHaveLength(1);
  });

  test.each([
    [200, 'not_found'],
    [404, 'not_found'],
    [401, 'unauthenticated'],
    [413, 'too_large'],
    [500, 'unavailable'],
  ])('an answer %i that is not of Annals is %s', async (status, code) => {
    const retry = { ...noPauses, attemptsMax: 1 };
    const { client } = scripted([new Response('<html>', { status })], { retry });
    expect((await failure(client.count())).code).toBe(code);
  });
});

describe('aborts and timeouts', () => {
  const reason = new Error('enough');

  test("an abort throws the signal's reason, also where fetch pays no heed", async () => {
    const client = createAnnals({ url, fetch: silent });
    const controller = new AbortController();
    const calls = [
      client.count('x', { signal: controller.signal }),
      client.log({ action: 'a', actor: { type: 'system' } }, { signal: controller.signal }),
      client.list('x', { signal: controller.signal }).pages()[Symbol.asyncIterator]().next(),
      client.jobs.watch('x', { signal: controller.signal })[Symbol.asyncIterator]().next(),
    ];
    controller.abort(reason);
    for (const call of calls) await expect(call).rejects.toBe(reason);
  });

  test('an abort before the call sends nothing', async () => {
    const { client, bodies } = scripted([]);
    await expect(client.count('x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(client.logMany([], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(bodies).toEqual([]);
  });

  test('an abort ends the pause between two attempts', async () => {
    const controller = new AbortController();
    const answers = [told('unavailable', 503, { 'retry-after': '60' })];
    const { client } = scripted(answers);
    const call = client.count('x', { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5);
    await expect(call).rejects.toBe(reason);
  });

  test('an attempt that takes too long is unavailable, and tried again', async () => {
    let attempts = 0;
    const fetch = () => {
      attempts += 1;
      return silent();
    };
    const client = createAnnals({ url, fetch, timeoutMs: 1, retry: { ...noPauses, attemptsMax: 3 } });
    expect(await failure(client.count())).toMatchObject({
      code: 'unavailable',
      message: 'the server did not answer within 1 ms',
    });
    expect(attempts).toBe(3);
  });
});

function failed(retryAfterMs: number): AttemptFailed {
  return new AttemptFailed(new AnnalsError({ code: 'unavailable', message: '' }), retryAfterMs);
}

describe('pauses', () => {
  test('a server that asks for a longer pause than a minute is not waited for', async () => {
    const backoff = createBackoff({ attemptsMax: 5, ...noPauses });
    await backoff.pause(failed(0), undefined);
    await expect(backoff.pause(failed(61_000), undefined)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a success in between forgets the failures', async () => {
    const backoff = createBackoff({ attemptsMax: 2, ...noPauses });
    for (let n = 0; n < 5; n += 1) {
      await backoff.pause(failed(0), undefined);
      backoff.reset();
    }
    await backoff.pause(failed(0), undefined);
    await expect(backoff.pause(failed(0), undefined)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test.each([
    ['3', 3_000],
    ['Thu, 01 Jan 1970 00:00:12 GMT', 2_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', 0],
  ])('retry-after %j', (text, ms) => {
    expect(retryAfterMsOf(new Headers({ 'retry-after': text }), 10_000)).toBe(ms);
  });
});

describe('options', () => {
  test.each([
    ['url', { url: 'annals' }],
    ['url', { url: 'ftp://annals' }],
    ['apiKey', { url, apiKey: 'annals_\n' }],
  ])('a wrong %s is refused at once, without quoting it', (path, options) => {
    expect(() => createAnnals(options)).toThrow(expect.objectContaining({ code: 'invalid_input', path }));
  });

  test("the key goes into the header and the tenant into the input, the call's before the client's", async () => {
    let authorization: string | undefined;
    const bodies: string[] = [];
    const fetch = async (_url: string, init: RequestInit) => {
      authorization = (init.headers as Record<string, string>)['authorization'];
      bodies.push(init.body as string);
      return Response.json(count);
    };
    const client = createAnnals({ url, fetch, apiKey: 'annals_x', tenantId: 'a' });
    await client.count();
    await client.count('q', { tenantId: 'b' });
    expect(authorization).toBe('Bearer annals_x');
    expect(bodies).toEqual(['{"json":{"tenantId":"a"}}', '{"json":{"query":"q","tenantId":"b"}}']);
  });
});

import {
  AnnalsError,
  type ErrorInfo,
  errorStatus,
  type LogItem,
  type LogResult,
  limits,
} from '@annals/contract';
import { describe, expect, test, vi } from 'vitest';
import { createAnnals } from './create-annals.ts';
import type { ClientOptions } from './options.ts';
import { type Fetch, noPauses } from './testing.ts';

interface Input {
  readonly tenantId?: string;
  readonly ack?: string;
  readonly activities: readonly { readonly id: string; readonly action: string }[];
}

type Answer = LogResult | ErrorInfo;

/** Stores everything but what is called `bad.done`. */
function store({ activities }: Input): LogResult {
  const batch = { id: crypto.randomUUID(), size: activities.length, root: 'root' };
  const results = activities.map(({ id, action }, position): LogItem => {
    if (action === 'bad.done') {
      const path = `activities.${position}.action`;
      return { status: 'refused', code: 'invalid_input', message: 'bad', path };
    }
    const times = { occurredAt: new Date(0), recordedAt: new Date(1) };
    return { status: 'stored', id, ...times, batchId: batch.id, position, leaf: `leaf-${id}` };
  });
  const counts = { stored: activities.length, duplicates: 0, refused: 0 };
  return { results, ...counts, ack: 'committed', batches: [batch] };
}

/** A server that answers each call as `answer` says, once `gate` lets it, and a client of it. */
function serve({
  answer = store,
  gate = () => Promise.resolve(undefined),
  ...options
}: Partial<ClientOptions> & {
  answer?: (input: Input) => Answer;
  gate?: (request: { inputs: readonly Input[]; bytes: number }) => Promise<Response | undefined | void>;
} = {}) {
  const requests: Input[][] = [];
  const fetch: Fetch = async (url, init) => {
    const inputs = inputsOf(url, init.body as string);
    requests.push(inputs);
    const refused = await gate({ inputs, bytes: (init.body as string).length });
    if (refused) return refused;
    const answers = inputs.map((input) => wireOf(answer(input)));
    const statuses = new Set(answers.map(({ status }) => status));
    const status = statuses.size === 1 ? (answers[0]?.status as number) : 207;
    const bodies = answers.map(({ body }) => body);
    return Response.json(url.endsWith('?batch=1') ? bodies : bodies[0], { status });
  };
  const client = createAnnals({ url: 'http://annals.test', fetch, retry: noPauses, ...options });
  return { client, requests };
}

function inputsOf(url: string, body: string): Input[] {
  const calls = url.slice(url.lastIndexOf('/') + 1).replace(/\?batch=1$/, '');
  const json = JSON.parse(body) as { json?: Input; [at: number]: { json: Input } };
  const inputs = json.json
    ? [json.json]
    : Object.values(json as { [at: number]: { json: Input } }).map((each) => each.json);
  expect(calls).toBe(inputs.map(() => 'activity.log').join(','));
  expect(url.endsWith('?batch=1')).toBe(inputs.length > 1);
  return inputs;
}

function wireOf(answer: Answer): { body: object; status: number } {
  if ('results' in answer) return { status: 200, body: { result: { data: { json: answer } } } };
  const { code, message } = answer;
  const error = { json: { message, code: -32_600, data: { annals: answer } } };
  return { status: errorStatus[code], body: { error } };
}

const said = { action: 'hello.said', actor: { type: 'user' as const, id: 'ada' } };
const bad = { ...said, action: 'bad.done' };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'fulfilled',
    (error: unknown) => (error instanceof AnnalsError ? error.code : String(error)),
  );
}

/** Requests that wait until they are let go, in any order. */
function holdRequests() {
  const held: (() => void)[] = [];
  const gate = () => new Promise<void>((resolve) => held.push(resolve));
  return { held, gate };
}

/** All that can happen without an answer has happened. */
async function turn(): Promise<void> {
  for (let each = 0; each < 10; each += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('what shares a request', () => {
  test('calls of the same turn are one call for each tenant, in one request', async () => {
    const { client, requests } = serve();
    const tenants = ['a', 'b', 'a', 'c', 'b', 'a'];
    const items = await Promise.all(tenants.map((tenantId) => client.log(said, { tenantId })));
    expect(requests).toHaveLength(1);
    expect(requests[0]?.map((input) => [input.tenantId, input.activities.length])).toEqual([
      ['a', 3],
      ['b', 2],
      ['c', 1],
    ]);
    for (const item of items)
      expect(item).toMatchObject({ leaf: `leaf-${item.id}`, recordedAt: new Date(1) });
    expect(new Set(items.map(({ id }) => id)).size).toBe(6);
  });

  test('a call alone waits for none, and none waits for a request that is full', async () => {
    const { client, requests } = serve();
    await client.log(said);
    await Promise.all(Array.from({ length: 1_200 }, () => client.log(said)));
    expect(requests.map(([input]) => input?.activities.length)).toEqual([1, 1_000, 200]);
  });

  test('what is called while requests are on the way leaves when it is as much as they are, or they are answered', async () => {
    const { held, gate } = holdRequests();
    const { client, requests } = serve({ gate });
    // However long this takes.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const calls: Promise<unknown>[] = [];
    for (let call = 0; call < 9; call += 1) {
      calls.push(client.log(said));
      await turn();
    }
    const sizes = () => requests.map(([input]) => input?.activities.length);
    expect(sizes()).toEqual([1, 1, 2, 4]);
    vi.useRealTimers();
    for (const release of held) release();
    await vi.waitFor(() => expect(sizes()).toEqual([1, 1, 2, 4, 1]));
    held[4]?.();
    await Promise.all(calls);
  });

  test('an answer that does not come keeps no other call waiting for long', async () => {
    const { held, gate } = holdRequests();
    const { client } = serve({
      gate: ({ inputs }) => (inputs[0]?.tenantId === 'stuck' ? gate() : Promise.resolve()),
    });
    const stuck = Array.from({ length: 10 }, () => client.log(said, { tenantId: 'stuck' }));
    await turn();
    await client.log(said);
    held[0]?.();
    await Promise.all(stuck);
  });

  test('a request stays within what a server takes, and calls that are large go alone', async () => {
    const sizes: number[] = [];
    const { client, requests } = serve({ gate: async ({ bytes }) => void sizes.push(bytes) });
    const message = 'x'.repeat(100_000);
    await Promise.all([
      ...Array.from({ length: 70 }, (_, at) => client.log(said, { tenantId: `t${at}` })),
      ...Array.from({ length: 12 }, () => client.log({ ...said, message }, { tenantId: 'big' })),
      client.logMany(
        Array.from({ length: 20 }, () => ({ ...said, message })),
        { tenantId: 'many' },
      ),
    ]);
    expect(Math.max(...requests.map((inputs) => inputs.length))).toBeLessThanOrEqual(
      limits.logCallsPerRequestMax,
    );
    const alone = requests.filter(([input]) => input?.tenantId === 'many');
    expect(alone.map((inputs) => inputs.length)).toEqual([1]);
    expect(sizes.filter((size) => size > 600_000)).toHaveLength(1);
    expect(requests.flat().reduce((sum, { activities }) => sum + activities.length, 0)).toBe(102);
  });

  test('what fills a request does not wait for others to be answered', async () => {
    const { held, gate } = holdRequests();
    const { client } = serve({ gate });
    const many = Array.from({ length: 1_000 }, () => said);
    const calls: Promise<unknown>[] = Array.from({ length: 6 }, () => client.logMany(many));
    await vi.waitFor(() => expect(held).toHaveLength(6));
    calls.push(client.log(said));
    await turn();
    expect(held).toHaveLength(6);
    for (const release of held) release();
    await vi.waitFor(() => expect(held).toHaveLength(7));
    held[6]?.();
    await Promise.all(calls);
  });

  test('calls that wait for a checkpoint keep apart, and keep nobody waiting', async () => {
    const { held, gate } = holdRequests();
    const { client, requests } = serve({
      gate: async ({ inputs }) => (inputs.some(({ ack }) => ack === 'sequenced') ? gate() : undefined),
    });
    const patient = Array.from({ length: 3 }, async () => {
      const call = client.log(said, { ack: 'sequenced' });
      await turn();
      return call;
    });
    await Promise.all([client.log(said), client.log(said, { ack: 'committed' })]);
    await turn();
    for (const release of held) release();
    await Promise.all(patient);
    for (const inputs of requests) expect(new Set(inputs.map(({ ack }) => ack === 'sequenced')).size).toBe(1);
  });

  test('each logMany is told its own, by its own numbers and batches', async () => {
    const { client, requests } = serve();
    const [one, two, other] = await Promise.all([
      client.logMany([said, bad]),
      client.logMany([bad, said, said]),
      client.logMany([said], { tenantId: 'other' }),
    ]);
    expect(requests).toHaveLength(1);
    expect([one, two, other]).toMatchObject([
      { stored: 1, refused: 1, results: [{ status: 'stored' }, { path: 'activities.1.action' }] },
      { stored: 2, refused: 1, results: [{ path: 'activities.0.action' }, {}, {}] },
      { stored: 1 },
    ]);
    expect(one.batches).toEqual(two.batches);
    expect(other.batches).not.toEqual(one.batches);
    expect(one.batches).toHaveLength(1);
  });
});

describe('failures stay with those whose they are', () => {
  test('a refused activity is refused to its caller, by its own path', async () => {
    const { client, requests } = serve();
    const calls = [client.log(said), client.log(bad), client.log(said)];
    await expect(calls[1]).rejects.toMatchObject({ code: 'invalid_input', path: 'action' });
    expect(await Promise.all([calls[0], calls[2]])).toMatchObject([
      { status: 'stored' },
      { status: 'stored' },
    ]);
    expect(requests).toHaveLength(1);
  });

  test("a tenant's failure is not another's", async () => {
    const missing: ErrorInfo = { code: 'not_found', message: 'no such tenant', path: 'tenantId' };
    const { client, requests } = serve({
      answer: (input) => (input.tenantId === 'none' ? missing : store(input)),
    });
    const codes = await Promise.all(
      ['a', 'none', 'b', 'none'].map((tenantId) => codeOf(client.log(said, { tenantId }))),
    );
    expect(codes).toEqual(['fulfilled', 'not_found', 'fulfilled', 'not_found']);
    expect(requests).toHaveLength(1);
  });

  test('what is overloaded for one tenant is sent again for that one alone, the same as before', async () => {
    let refusals = 2;
    const full: ErrorInfo = { code: 'overloaded', message: 'full' };
    const { client, requests } = serve({
      answer: (input) => (input.tenantId === 'b' && refusals-- > 0 ? full : store(input)),
    });
    await Promise.all(['a', 'b', 'c', 'b'].map((tenantId) => client.log(said, { tenantId })));
    expect(requests.map((inputs) => inputs.map(({ tenantId }) => tenantId))).toEqual([
      ['a', 'b', 'c'],
      ['b'],
      ['b'],
    ]);
    expect(requests[1]?.[0]).toEqual(requests[0]?.[1]);
    expect(requests[2]?.[0]).toEqual(requests[0]?.[1]);
  });

  test('one that makes its request fail is found, and the others are stored', async () => {
    const defect: ErrorInfo = { code: 'internal', message: 'defect' };
    const { client } = serve({
      answer: (input) =>
        input.activities.some(({ action }) => action === 'bad.done') ? defect : store(input),
    });
    const codes = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        codeOf(client.log(at === 17 ? bad : said, { tenantId: `t${at % 3}` })),
      ),
    );
    expect(codes.map((code, at) => (code === 'fulfilled' ? [] : [at, code])).flat()).toEqual([
      17,
      'internal',
    ]);
  });

  test('a proxy that takes less than we send gets less', async () => {
    const { client } = serve({
      gate: async ({ bytes }) => (bytes > 2_000 ? new Response('too large', { status: 413 }) : undefined),
    });
    const message = 'x'.repeat(300);
    const calls = Array.from({ length: 30 }, (_, at) =>
      codeOf(
        client.log({ ...said, message: at === 9 ? 'x'.repeat(3_000) : message }, { tenantId: `t${at % 4}` }),
      ),
    );
    const codes = await Promise.all(calls);
    expect(codes.flatMap((code, at) => (code === 'fulfilled' ? [] : [at, code]))).toEqual([9, 'too_large']);
  });

  test('what fails for all is told to all, once for each attempt', async () => {
    const { client, requests } = serve({
      gate: async () => new Response('away', { status: 502 }),
      retry: { ...noPauses, attemptsMax: 3 },
    });
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, at) => codeOf(client.log(said, { tenantId: `t${at % 2}` }))),
    );
    expect(new Set(codes)).toEqual(new Set(['unavailable']));
    // Two tenants, which may have come apart between two attempts.
    expect(requests.length).toBeLessThanOrEqual(5);
  });

  test.each([
    ['nothing', ''],
    ['another list', '[{"result":{"data":{"json":{"results":[],"batches":[]}}}}]'],
    ['null', 'null'],
    [
      'no batches',
      '{"result":{"data":{"json":{"results":[{"status":"x"},{"status":"x"}],"batches":[null]}}}}',
    ],
    ['items that are none', '{"result":{"data":{"json":{"results":[null,null],"batches":[]}}}}'],
  ])('an answer with %s fails each call, and the next is asked anew', async (_name, body) => {
    let broken = true;
    const { client } = serve({
      gate: async () => (broken ? new Response(body) : undefined),
      retry: { ...noPauses, attemptsMax: 2 },
    });
    const codes = await Promise.all([codeOf(client.log(said)), codeOf(client.log(said))]);
    for (const code of codes) expect(code).not.toBe('fulfilled');
    broken = false;
    expect((await client.log(said)).status).toBe('stored');
  });
});

describe('aborts', () => {
  const reason = new Error('enough');

  test('one caller that leaves takes no other along, waiting or on the way', async () => {
    const { held, gate } = holdRequests();
    const { client, requests } = serve({ gate });
    const [first, second] = [new AbortController(), new AbortController()];
    const onTheWay = [client.log(said, { signal: first.signal }), client.log(said), client.log(said)];
    await turn();
    const waiting = [client.log(said, { signal: second.signal }), client.log(said)];
    first.abort(reason);
    second.abort(reason);
    await expect(onTheWay[0]).rejects.toBe(reason);
    await expect(waiting[0]).rejects.toBe(reason);
    held[0]?.();
    await vi.waitFor(() => expect(held).toHaveLength(2));
    held[1]?.();
    await Promise.all([onTheWay[1], onTheWay[2], waiting[1]]);
    expect(requests.map(([input]) => input?.activities.length)).toEqual([3, 1]);
  });

  test('a request ends when its last caller has left', async () => {
    const ended = Promise.withResolvers<void>();
    const fetch: Fetch = (_url, init) => {
      init.signal?.addEventListener('abort', () => ended.resolve());
      return new Promise(() => undefined);
    };
    const client = createAnnals({ url: 'http://annals.test', fetch });
    const controllers = ['a', 'a', 'b'].map((tenantId) => ({ tenantId, controller: new AbortController() }));
    const calls = controllers.map(({ tenantId, controller }) =>
      client.log(said, { tenantId, signal: controller.signal }),
    );
    await turn();
    for (const { controller } of controllers) controller.abort(reason);
    for (const call of calls) await expect(call).rejects.toBe(reason);
    await ended.promise;
  });

  test('who has left is not sent again', async () => {
    const controller = new AbortController();
    let attempts = 0;
    const { client, requests } = serve({
      gate: async () => {
        attempts += 1;
        if (attempts > 1) return undefined;
        controller.abort(reason);
        return new Response('away', { status: 503 });
      },
    });
    const left = client.log(said, { signal: controller.signal });
    const stayed = client.log(said);
    await expect(left).rejects.toBe(reason);
    await stayed;
    expect(requests.map(([input]) => input?.activities.length)).toEqual([2, 1]);
  });
});

describe('bounds', () => {
  test('beyond what may wait a call is refused at once, and taken again once there is room', async () => {
    const { held, gate } = holdRequests();
    const { client, requests } = serve({ gate, waitingMax: { activities: 3 } });
    const leaving = new AbortController();
    const calls = [client.logMany([said, said]), client.log(said, { signal: leaving.signal })];
    await expect(client.log(said)).rejects.toMatchObject({ code: 'overloaded', limit: 3 });
    leaving.abort();
    await expect(calls[1]).rejects.toThrow();
    calls[1] = client.log(said);
    await turn();
    for (const release of held) release();
    await turn();
    for (const release of held) release();
    await Promise.all(calls);
    const last = client.log(said);
    await turn();
    held.at(-1)?.();
    await last;
    expect(requests.flat().flatMap(({ activities }) => activities)).toHaveLength(4);
  });

  test('so are bytes', async () => {
    const { client } = serve({ waitingMax: { bytes: 1_000 } });
    const message = 'x'.repeat(600);
    const codes = await Promise.all([
      codeOf(client.log({ ...said, message })),
      codeOf(client.log({ ...said, message })),
    ]);
    expect(codes).toEqual(['fulfilled', 'overloaded']);
    expect(await codeOf(client.log({ ...said, message }))).toBe('fulfilled');
  });
});

import { AnnalsError, type Job } from '@annals/contract';
import { runJob } from '@annals/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Annals } from './annals.ts';
import { type Fetch, noPauses, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

/** A job that has been queued and that nobody runs yet. */
async function aJob(client: Annals): Promise<Job> {
  await client.log({ action: 'hello.said', actor: { type: 'user', id: 'ada' } });
  const plan = await client.privacy.planAnonymize({ ids: ['ada'] });
  return client.privacy.applyAnonymize({ planId: plan.id });
}

const run = ({ tenantId, id }: Job) => runJob(network.services, { tenantId, jobId: id });

/** A connection that breaks after the first event, `times` times. */
function breaking(times: number) {
  const broken: number[] = [];
  const wrap =
    (fetch: Fetch): Fetch =>
    async (url, init) => {
      const response = await fetch(url, init);
      if (!url.endsWith('job.watch') || broken.length >= times) return response;
      broken.push(1);
      let chunks = 0;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          controller.enqueue(chunk);
          chunks += new TextDecoder().decode(chunk).includes('"status"') ? 1 : 0;
          if (chunks > 0) controller.error(new TypeError('terminated'));
        },
      });
      return new Response(response.body?.pipeThrough(cut) ?? null, response);
    };
  return { broken, wrap };
}

test('a watch tells the job as it is, then as it moves, and ends with it', async () => {
  const client = await network.client();
  const job = await aJob(client);
  const states: string[] = [];
  for await (const { status } of client.jobs.watch(job.id)) {
    states.push(status);
    if (status === 'queued') await run(job);
  }
  expect(states).toEqual(['queued', 'completed']);
});

test('a broken connection is opened again, and nothing is told twice', async () => {
  const { broken, wrap } = breaking(2);
  const client = await network.client({ wrap });
  const job = await aJob(client);
  const told: Job[] = [];
  for await (const state of client.jobs.watch(job.id)) {
    told.push(state);
    if (state.status === 'queued') await run(job);
  }
  expect(told.map(({ status }) => status)).toEqual(['queued', 'completed']);
  expect(told[0]).toEqual(job);
  expect(broken.length).toBeGreaterThan(0);
});

/** No watch reaches the server. */
function away(fetch: Fetch): Fetch {
  return (url, init) =>
    url.endsWith('job.watch') ? Promise.reject(new TypeError('fetch failed')) : fetch(url, init);
}

test('a server that stays away is unavailable in the end', async () => {
  const client = await network.client({ wrap: away, retry: { ...noPauses, attemptsMax: 3 } });
  const { id } = await aJob(client);
  const watching = client.jobs.watch(id)[Symbol.asyncIterator]();
  const error: unknown = await watching.next().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(AnnalsError);
  expect(error).toMatchObject({ code: 'unavailable' });
});

test('what the server refuses is thrown, and asked for once only', async () => {
  let asked = 0;
  const wrap =
    (fetch: Fetch): Fetch =>
    (url, init) => {
      asked += url.endsWith('job.watch') ? 1 : 0;
      return fetch(url, init);
    };
  const client = await network.client({ wrap });
  const next = (id: string) => client.jobs.watch(id)[Symbol.asyncIterator]().next();
  await expect(next(crypto.randomUUID())).rejects.toMatchObject({ code: 'not_found' });
  await expect(next('x')).rejects.toMatchObject({ code: 'invalid_input', path: 'id' });
  expect(asked).toBe(2);
});

test('a caller who stops watching, or aborts, ends the connection', async () => {
  const signals: AbortSignal[] = [];
  const wrap =
    (fetch: Fetch): Fetch =>
    (url, init) => {
      if (url.endsWith('job.watch') && init.signal) signals.push(init.signal);
      return fetch(url, init);
    };
  const client = await network.client({ wrap });
  const { id } = await aJob(client);
  for await (const _ of client.jobs.watch(id)) break;
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  const controller = new AbortController();
  const reason = new Error('enough');
  const watching = client.jobs.watch(id, { signal: controller.signal })[Symbol.asyncIterator]();
  await watching.next();
  const next = watching.next();
  controller.abort(reason);
  await expect(next).rejects.toBe(reason);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});

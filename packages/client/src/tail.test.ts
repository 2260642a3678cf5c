import type { Activity } from '@annals/contract';
import { sequence } from '@annals/core';
import { operatorPrincipal } from '@annals/server';
import { aTenantId } from '@annals/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Annals } from './annals.ts';
import { createAnnals } from './create-annals.ts';
import type { ClientOptions } from './options.ts';
import { type Fetch, noPauses, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

/** A client of a new tenant, and how it stores activities so that they come into the log at once. */
async function aTenant(wrap?: (fetch: Fetch) => Fetch) {
  const tenantId = aTenantId();
  const client = await network.client({ tenantId, ...(wrap && { wrap }) });
  const actor = { type: 'user' as const, id: 'ada' };
  const log = async (...actions: string[]): Promise<void> => {
    // One after the other, so that their order is known.
    for (const action of actions) await client.log({ action, actor });
    await sequence(network.services, tenantId);
  };
  await log('tenant.begun');
  return { client, tenantId, log };
}

/** Another client of a tenant that is there already. */
function another(
  tenantId: string,
  options: Partial<ClientOptions> & { wrap?: (fetch: Fetch) => Fetch } = {},
) {
  const { wrap = (fetch) => fetch, ...rest } = options;
  const fetch = wrap(network.fetchAs(operatorPrincipal()));
  return createAnnals({ url: 'http://annals.test', tenantId, fetch, retry: noPauses, ...rest });
}

const actionOf = ({ action }: Activity) => action;

test('a tail tells what comes into the log, until its loop is left', async () => {
  const signals: AbortSignal[] = [];
  const { client, log } = await aTenant((fetch) => (url, init) => {
    if (url.endsWith('activity.tail') && init.signal) signals.push(init.signal);
    return fetch(url, init);
  });
  const told: Activity[] = [];
  const events = client.tail('action:invoice.*').events()[Symbol.asyncIterator]();
  // Behind the log as it is now.
  expect((await events.next()).value).toMatchObject({ activities: [] });
  await log('invoice.made', 'other', 'invoice.paid');
  while (told.length < 2) told.push(...((await events.next()).value?.activities ?? []));
  expect(told.map(actionOf)).toEqual(['invoice.made', 'invoice.paid']);
  expect(told[0]?.occurredAt).toBeInstanceOf(Date);
  await events.return?.();
  for await (const activity of client.tail({ action: 'other' }, { from: 'start' })) {
    expect(activity.action).toBe('other');
    break;
  }
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});

test('a cursor that was kept goes on behind its event, in another client', async () => {
  const { client, tenantId, log } = await aTenant();
  let kept: string | undefined;
  for await (const { cursor, activities } of client.tail(undefined, { from: 'start' }).events()) {
    expect(activities.map(actionOf).at(-1)).toBe('tenant.begun');
    kept = cursor;
    break;
  }
  await log('a.one', 'a.two');
  const told: string[] = [];
  for await (const activity of another(tenantId).tail('', { cursor: kept }))
    if (told.push(activity.action) === 2) break;
  expect(told).toEqual(['a.one', 'a.two']);
});

/** Connections that break after so many bytes each, in turns; one of 0 never comes about. */
function breaking(bytes: readonly number[]): (fetch: Fetch) => Fetch {
  let opened = 0;
  return (fetch) => async (url, init) => {
    if (!url.endsWith('activity.tail')) return fetch(url, init);
    let left = bytes[opened++];
    if (left === 0) throw new TypeError('fetch failed');
    const response = await fetch(url, init);
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(left === undefined ? chunk : chunk.subarray(0, left));
        if (left === undefined) return;
        left -= chunk.length;
        if (left <= 0) controller.error(new TypeError('terminated'));
      },
    });
    return new Response(response.body?.pipeThrough(cut) ?? null, response);
  };
}

test('wherever connections break, each activity is told once, in order', async () => {
  const { tenantId, log } = await aTenant();
  const actions = Array.from({ length: 12 }, (_, at) => `a.n${at}`);
  for (const action of actions) await log(action);
  const cuts = fc.array(fc.oneof(fc.nat(12_000), fc.constantFrom(0, 1)), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (bytes) => {
      const retry = { ...noPauses, attemptsMax: 20 };
      const wrapped = another(tenantId, { wrap: breaking(bytes), retry });
      const told: string[] = [];
      for await (const activity of wrapped.tail('action:a.*', { from: 'start' })) {
        if (told.push(activity.action) === actions.length) break;
      }
      expect(told).toEqual(actions);
    }),
    { numRuns: 20 },
  );
});

test('what comes while a connection is broken is told behind what came before', async () => {
  let cut: (() => void) | undefined;
  const { client, log } = await aTenant((fetch) => async (url, init) => {
    const response = await fetch(url, init);
    if (!url.endsWith('activity.tail')) return response;
    const stream = new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) => {
        cut = () => controller.error(new TypeError('terminated'));
      },
    });
    return new Response(response.body?.pipeThrough(stream) ?? null, response);
  });
  const events = client.tail().events()[Symbol.asyncIterator]();
  const first = await events.next();
  expect(first.value).toMatchObject({ activities: [] });
  cut?.();
  await log('b.meanwhile');
  const told: Activity[] = [];
  while (told.length === 0) told.push(...((await events.next()).value?.activities ?? []));
  expect(told.map(actionOf)).toEqual(['b.meanwhile']);
  await events.return?.();
});

test('what the server refuses is thrown, and asked for once only', async () => {
  let asked = 0;
  const { client } = await aTenant((fetch) => (url, init) => {
    asked += url.endsWith('activity.tail') ? 1 : 0;
    return fetch(url, init);
  });
  const next = (...args: Parameters<Annals['tail']>) => {
    const activities = client.tail(...args)[Symbol.asyncIterator]();
    return activities.next();
  };
  await expect(next('nonsense:')).rejects.toMatchObject({ code: 'invalid_query' });
  await expect(next('', { cursor: 'x' })).rejects.toMatchObject({
    code: 'invalid_input',
    path: 'lastEventId',
  });
  await expect(next('', { cursor: '7.1' })).rejects.toMatchObject({
    code: 'invalid_input',
    path: 'lastEventId',
  });
  expect(asked).toBe(3);
});

test('an abort throws its reason, and a server that stays away is unavailable in the end', async () => {
  const { client } = await aTenant();
  const leaving = new AbortController();
  const tail = client.tail('', { signal: leaving.signal })[Symbol.asyncIterator]();
  const next = tail.next();
  const reason = new Error('enough');
  leaving.abort(reason);
  await expect(next).rejects.toBe(reason);
  const away = createAnnals({
    url: 'http://annals.test',
    fetch: () => Promise.reject(new TypeError('fetch failed')),
    retry: { ...noPauses, attemptsMax: 3 },
  });
  await expect(away.tail()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'unavailable' });
});

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type Annals, type ClientOptions, createAnnals } from '@annals/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnnalsProcess, makeDataDir, removeDataDir, startAnnalsProcess } from './process.ts';

let dataDir: string;
let annals: AnnalsProcess;
beforeAll(async () => {
  dataDir = await makeDataDir();
  annals = await startAnnalsProcess({ dataDir });
}, 60_000);
afterAll(async () => {
  await annals.stop();
  await removeDataDir(dataDir);
});

/** A client of the process as it is now, which is another one once it was killed. */
function client(options: Partial<ClientOptions> = {}): Annals {
  const { apiKey } = annals;
  const fetch: ClientOptions['fetch'] = (url, init) =>
    globalThis.fetch(url.replace('http://annals.test', annals.url), init);
  const retry = { attemptsMax: 1_000, baseMs: 20, pauseMaxMs: 100 };
  return createAnnals({ url: 'http://annals.test', apiKey, fetch, retry, ...options });
}

/** So many activities of about 4 kB, in several calls; returns how many. */
async function write(count: number, action: string): Promise<number> {
  const activities = Array.from({ length: count }, (_, n) => ({
    action,
    actor: { type: 'system' as const },
    metadata: { n, filling: 'x'.repeat(4_000) },
  }));
  const { stored } = await client().logMany(activities);
  return stored;
}

/** The ids that a tail tells, up to so many. */
async function told(action: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of client().tail(`action:${action}`, { from: 'start' })) {
    if (ids.push(id) === count) break;
  }
  return ids;
}

/** A connection that is open, and of which nothing is read. */
async function standStill(action: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${annals.apiKey}`, 'content-type': 'application/json' };
  const asking = request(`${annals.url}/trpc/activity.tail`, { method: 'POST', headers });
  asking.end(JSON.stringify({ json: { query: `action:${action}`, from: 'start' } }));
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return response.pause();
}

async function readIds(response: IncomingMessage, count: number): Promise<string[]> {
  let text = '';
  const ids = () => Array.from(text.matchAll(/"id":"([0-9a-f-]{36})","tenantId"/g), ([, id]) => id as string);
  for await (const part of response.setEncoding('utf8')) {
    text += String(part);
    // What is told comes in whole events.
    if (text.endsWith('\n\n') && ids().length >= count) break;
  }
  return ids();
}

test('a reader that stands still holds nobody up, and misses nothing', async () => {
  const slow = await standStill('slow.beside');
  const count = 4_000;
  const reading = [told('slow.beside', count), told('slow.beside', count)];
  // More than what waits in sockets on the way.
  expect(await write(count, 'slow.beside')).toBe(count);
  const [one, another] = await Promise.all(reading);
  expect(new Set(one).size).toBe(count);
  expect(another).toEqual(one);
  expect(await readIds(slow, count)).toEqual(one);
  slow.destroy();
}, 90_000);

test('whenever the server is killed, a tail tells everything once, in order', async () => {
  const count = 900;
  const reading = told('kill.between', count);
  const writing = (async () => {
    for (let written = 0; written < count; written += 30) await write(30, 'kill.between');
  })();
  for (let kills = 0; kills < 2; kills += 1) {
    // Not before something was told by this one.
    for await (const _ of client().tail('action:kill.between', { from: 'start' })) break;
    await annals.kill();
    annals = await startAnnalsProcess({ dataDir });
  }
  await writing;
  const ids = await reading;
  expect(new Set(ids).size).toBe(count);
  expect(await told('kill.between', count)).toEqual(ids);
}, 120_000);

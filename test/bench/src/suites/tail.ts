import { setTimeout as delay } from 'node:timers/promises';
import { scopes } from '@annals/contract';
import { bootstrapKey } from '@annals/core';
import { v7 } from 'uuid';
import { generateActivities, takeNext } from '../data/activities.ts';
import { openBench } from '../open-bench.ts';
import { openServer } from '../open-server.ts';
import { quantile, type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

interface Scenario {
  readonly subscribers: number;
  readonly perSecond: number;
}

const scenarios: readonly Scenario[] = [
  { subscribers: 1, perSecond: 40 },
  { subscribers: 100, perSecond: 40 },
];

/** All select the same, so that what is told is known, but no two are one filter. */
const filters = 10;

/** How long it takes from a call of `activity.log` until a subscriber has what it stored; the commit is in it. */
export const tail: Suite = async ({ database, rounds, seconds }) => {
  const url = await database();
  const bench = await openBench(url);
  const server = await openServer(url);
  try {
    const rows: Row[] = [];
    for (const [at, scenario] of scenarios.entries()) {
      const { secret } = await bootstrapKey(bench.services, {
        tenantId: `tail-${at}`,
        name: 'bench',
        scopes,
      });
      const load: Load = { ...scenario, url: server.url, key: secret };
      const taken: number[][] = [];
      // The first warms caches and compilers.
      for (let round = 0; round <= rounds; round += 1) {
        const latencies = await measure(load, round === 0 ? 1 : seconds);
        if (round > 0) taken.push(latencies);
      }
      rows.push(
        rowAt(scenario, taken, { part: 0.5, atMost: 50 }),
        rowAt(scenario, taken, { part: 0.99, atMost: 250 }),
      );
    }
    return rows;
  } finally {
    await server.close();
    await bench.close();
  }
};

interface Asked {
  readonly part: number;
  readonly atMost: number;
}

function rowAt(
  { subscribers, perSecond }: Scenario,
  taken: readonly number[][],
  { part, atMost }: Asked,
): Row {
  const who = subscribers === 1 ? '1 subscriber' : `${subscribers} subscribers with ${filters} filters`;
  return rowOf(
    {
      name: `live tail, from the call to ${who}, ${perSecond} records/s, p${part * 100}`,
      unit: 'ms',
      target: { of: 'ours', atMost },
    },
    taken.map((latencies) => ({ ours: quantile(latencies, part) })),
  );
}

interface Load extends Scenario {
  readonly url: string;
  readonly key: string;
}

async function measure(load: Load, seconds: number): Promise<number[]> {
  const calledMs = new Map<string, number>();
  const latencies: number[] = [];
  const onTold = (id: string) => {
    const ms = calledMs.get(id);
    if (ms !== undefined) latencies.push(performance.now() - ms);
  };
  const leaving = new AbortController();
  const streams = await Promise.all(
    Array.from({ length: load.subscribers }, (_, at) =>
      subscribe(load, { at, onTold, signal: leaving.signal }),
    ),
  );
  const calls: Promise<void>[] = [];
  const samples = generateActivities({ seed: 5, startMs: Date.now(), stepMs: 1_000 });
  for (let call = 0; call < seconds * load.perSecond; call += 1) {
    const [sample] = takeNext(samples, 1);
    const activity = { ...sample, id: v7(), occurredAt: undefined };
    calledMs.set(activity.id, performance.now());
    calls.push(log(load, activity));
    // Not in step with anything.
    await delay((Math.random() * 2_000) / load.perSecond);
  }
  await Promise.all(calls);
  const wanted = calls.length * load.subscribers;
  while (latencies.length < wanted) await delay(10);
  leaving.abort();
  await Promise.all(streams.map(({ ended }) => ended));
  if (latencies.length !== wanted) throw new Error(`${wanted} were to be told, ${latencies.length} were`);
  return latencies;
}

function headersOf({ key }: Load) {
  return { 'content-type': 'application/json', authorization: `Bearer ${key}` };
}

async function log(load: Load, activity: object): Promise<void> {
  const body = JSON.stringify({ json: { activities: [activity] } });
  const response = await fetch(`${load.url}/trpc/activity.log`, {
    method: 'POST',
    headers: headersOf(load),
    body,
  });
  if (!/"stored":1/.test(await response.text())) throw new Error('not stored');
}

interface Subscriber {
  readonly at: number;
  readonly onTold: (id: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the tail has begun. Ids are looked for in the text, so that 100 readers cost this process little. */
async function subscribe(load: Load, { at, onTold, signal }: Subscriber): Promise<{ ended: Promise<void> }> {
  const json = { query: `-action:nothing.${at % filters}` };
  const init = { method: 'POST', headers: headersOf(load), body: JSON.stringify({ json }), signal };
  const response = await fetch(`${load.url}/trpc/activity.tail`, init);
  const begun = Promise.withResolvers<void>();
  const read = async () => {
    let text = '';
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      if (!text.endsWith('\n\n')) continue;
      for (const [, id = ''] of text.matchAll(/"id":"([0-9a-f-]{36})","tenantId"/g)) onTold(id);
      if (text.includes('\nid: ')) begun.resolve();
      text = '';
    }
  };
  const ended = read().catch(() => begun.reject(new Error('the tail has ended')));
  await begun.promise;
  return { ended };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Annals } from '@annals/client';
import { serveCommands } from './child.ts';
import { type Latencies, noLatencies } from './latencies.ts';
import { clientOf, codeOf, countFailure, type Failures, type Reach } from './server-of.ts';
import { startTails, type Tails, type Told } from './tails.ts';

export interface ReadInput {
  readonly reach: Reach;
  /** When the run begins whose latencies are wanted. */
  readonly startsInMs: number;
  /** When the late tail begins. */
  readonly lateAfterMs: number;
  readonly tailStayMs: number;
  readonly exportEveryMs: number;
}

export interface HasRead {
  readonly pages: Latencies;
  readonly counts: Latencies;
  readonly stats: Latencies;
  readonly exported: number;
  /** Calls that failed for good, by code. */
  readonly failures: Failures;
  readonly attempts: Failures;
}

export type ReaderCommands = {
  /** Read until `stop`. */
  readonly start: (input: ReadInput) => Promise<void>;
  readonly stop: () => Promise<HasRead>;
  readonly endTails: (size: number) => Promise<Told[]>;
};

const exportMax = 20_000;
const queries = [
  undefined,
  'actor:usr_0',
  'actor:usr_300',
  'action:invoice.created',
  'severity:>=error',
  'outcome:failure',
  'target:invoice_0',
];

interface Reading {
  readonly annals: Annals;
  readonly startMs: number;
  readonly failures: Failures;
  readonly attempts: Failures;
  readonly pages: Latencies;
  readonly counts: Latencies;
  readonly stats: Latencies;
  readonly stopping: AbortController;
  readonly loops: Promise<void>[];
  readonly tails: Tails;
  exported: number;
}

let reading: Reading | undefined;

async function start({
  reach,
  startsInMs,
  lateAfterMs,
  tailStayMs,
  exportEveryMs,
}: ReadInput): Promise<void> {
  const [failures, attempts]: [Failures, Failures] = [{}, {}];
  const annals = clientOf(reach, attempts);
  const begun: Reading = {
    annals,
    startMs: Date.now() + startsInMs,
    failures,
    attempts,
    pages: noLatencies(),
    counts: noLatencies(),
    stats: noLatencies(),
    stopping: new AbortController(),
    loops: [],
    tails: startTails({ annals, lateAfterMs, stayMs: tailStayMs }),
    exported: 0,
  };
  reading = begun;
  begun.loops.push(
    repeat(begun, 100, () => readPages(begun)),
    repeat(begun, 1_000, () => timed(begun, begun.counts, () => annals.count('actor:usr_1'))),
    repeat(begun, 1_000, () => timed(begun, begun.stats, () => statsOf(annals))),
    repeat(begun, exportEveryMs, () => exportSome(begun)),
  );
}

async function stop(): Promise<HasRead> {
  if (!reading) throw new Error('nothing was begun');
  const { stopping, loops, pages, counts, stats, failures, attempts } = reading;
  stopping.abort();
  await Promise.all(loops);
  return { pages, counts, stats, exported: reading.exported, failures, attempts };
}

async function endTails(size: number): Promise<Told[]> {
  return (await reading?.tails.readTo(size)) ?? [];
}

/** With a pause between two that is not always the same. */
async function repeat({ stopping, failures }: Reading, everyMs: number, work: () => Promise<void>) {
  while (!stopping.signal.aborted) {
    try {
      await work();
    } catch (error) {
      countFailure(failures, codeOf(error));
    }
    const pauseMs = everyMs * (0.5 + Math.random());
    await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
  }
}

async function timed<T>({ startMs }: Reading, to: Latencies, work: () => Promise<T>): Promise<void> {
  const atMs = Date.now() - startMs;
  const beganMs = performance.now();
  await work();
  to.atMs.push(atMs);
  to.ms.push(performance.now() - beganMs);
}

/** The first pages of a list; each is one call. */
async function readPages(reading: Reading): Promise<void> {
  const query = queries[Math.floor(Math.random() * queries.length)];
  const pages = reading.annals.list(query, { pageSize: 50 }).pages()[Symbol.asyncIterator]();
  for (let page = 0; page < 3; page += 1) {
    let done = false;
    await timed(reading, reading.pages, async () => ({ done = false } = await pages.next()));
    if (done) return;
  }
}

function statsOf(annals: Annals) {
  return annals.stats({ groupBy: ['action'], interval: 'day' });
}

async function exportSome(reading: Reading): Promise<void> {
  let taken = 0;
  for await (const _ of reading.annals.export('severity:>=error', { pageSize: 1_000 })) {
    if (++taken === exportMax || reading.stopping.signal.aborted) break;
  }
  reading.exported += taken;
}

serveCommands({ start, stop, endTails } satisfies ReaderCommands);

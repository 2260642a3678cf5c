import { setTimeout as delay } from 'node:timers/promises';
import type { ActivityInput, Annals } from '@annals/client';
import { generateActivities, takeNext } from '../data/activities.ts';
import { serveCommands } from './child.ts';
import { type Latencies, noLatencies } from './latencies.ts';
import { createSerials, idOf } from './serials.ts';
import { clientOf, codeOf, countFailure, type Failures, type Reach } from './server-of.ts';

export interface WriteInput {
  readonly reach: Reach;
  readonly seconds: number;
  /** Records a second; undefined: as many as are taken. */
  readonly perSecond?: number | undefined;
  /** From the time by the clock to that of activities. */
  readonly shiftMs: number;
  /** Who does one in a hundred until that part of the run, and then nothing more. */
  readonly leaving?: { readonly actor: string; readonly at: number } | undefined;
}

export interface Written {
  /** Records, since the process began: numbers from 0. */
  readonly sent: number;
  /** Those of them that were acknowledged, as `Serials` are. */
  readonly acknowledged: Uint8Array;
  /** Of this run. */
  readonly perSecond: number;
  readonly latencies: Latencies;
  /** Calls that failed for good and records that were refused, by code. */
  readonly failures: Failures;
  /** Attempts that failed, by status. */
  readonly attempts: Failures;
}

const callSize = 100;
/** Calls at once: at the peak, and where they come on time but are answered late. */
const callersAtPeak = 8;
const callersMax = 64;

const acknowledged = createSerials();
let serial = 0;
const samples = takeNext(generateActivities({ seed: 7, startMs: 0, stepMs: 1 }), 20_000);

export type WriterCommands = { readonly write: (input: WriteInput) => Promise<Written> };

async function write(input: WriteInput): Promise<Written> {
  const failures: Failures = {};
  const attempts: Failures = {};
  const annals = clientOf(input.reach, attempts);
  const run: Run = { input, annals, startMs: Date.now(), latencies: noLatencies(), failures };
  const before = acknowledged.size;
  await (input.perSecond === undefined ? writeAtPeak(run) : writeOnTime(run, input.perSecond));
  const seconds = (Date.now() - run.startMs) / 1_000;
  return {
    sent: serial,
    acknowledged: acknowledged.bytes(),
    perSecond: (acknowledged.size - before) / seconds,
    latencies: run.latencies,
    failures,
    attempts,
  };
}

interface Run {
  readonly input: WriteInput;
  readonly annals: Annals;
  readonly startMs: number;
  readonly latencies: Latencies;
  readonly failures: Failures;
}

/** Each caller makes its next call as soon as the one before is answered. */
async function writeAtPeak(run: Run): Promise<void> {
  const endMs = run.startMs + run.input.seconds * 1_000;
  const caller = async () => {
    while (Date.now() < endMs) await call(run, Date.now());
  };
  await Promise.all(Array.from({ length: callersAtPeak }, caller));
}

/** Calls come when they are due, whether those before were answered or not, up to a bound. */
async function writeOnTime(run: Run, perSecond: number): Promise<void> {
  const calls = Math.round((run.input.seconds * perSecond) / callSize);
  const open = new Set<Promise<void>>();
  for (let number = 0; number < calls; number += 1) {
    const dueMs = run.startMs + (number * callSize * 1_000) / perSecond;
    const earlyMs = dueMs - Date.now();
    if (earlyMs > 0) await delay(earlyMs);
    while (open.size >= callersMax) await Promise.race(open);
    const made = call(run, dueMs).finally(() => open.delete(made));
    open.add(made);
  }
  await Promise.all(open);
}

/** Its time counts from when it was due, so that a caller who had to wait for his turn is not forgotten. */
async function call({ input, annals, startMs, latencies, failures }: Run, dueMs: number): Promise<void> {
  const elapsed = (Date.now() - startMs) / (input.seconds * 1_000);
  const leaving = input.leaving && elapsed < input.leaving.at ? input.leaving.actor : undefined;
  const first = serial;
  serial += callSize;
  const occurredAt = new Date(Date.now() + input.shiftMs);
  const activities = Array.from({ length: callSize }, (_, at) =>
    activityOf(first + at, { occurredAt, leaving: at === 0 ? leaving : undefined }),
  );
  try {
    const { results } = await annals.logMany(activities);
    for (const [at, item] of results.entries()) {
      if (item.status === 'refused') countFailure(failures, item.code);
      else acknowledged.add(first + at);
    }
    latencies.atMs.push(dueMs - startMs);
    latencies.ms.push(Date.now() - dueMs);
  } catch (error) {
    countFailure(failures, codeOf(error));
  }
}

interface Variant {
  readonly occurredAt: Date;
  readonly leaving: string | undefined;
}

function activityOf(number: number, { occurredAt, leaving }: Variant): ActivityInput {
  const sample = samples[number % samples.length] as ActivityInput;
  const actor = leaving === undefined ? sample.actor : personOf(leaving);
  return { ...sample, id: idOf(occurredAt, number), occurredAt, actor };
}

function personOf(id: string): ActivityInput['actor'] {
  return { type: 'user', id, label: `Called ${id}` };
}

serveCommands({ write } satisfies WriterCommands);

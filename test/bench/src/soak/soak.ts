import { setTimeout as delay } from 'node:timers/promises';
import { type Annals, createAnnals } from '@annals/client';
import { scopes } from '@annals/contract';
import { bootstrapKey } from '@annals/core';
import { openBench } from '../open-bench.ts';
import type { Row } from '../row.ts';
import { checkLog, type LogCheck, type LogEnd, untilSigned } from './check-log.ts';
import { checkStored, checkTails, type Stored, type TailCheck } from './check-stored.ts';
import { type Child, startChild } from './child.ts';
import { type Erased, erasePerson } from './erase-person.ts';
import { keepKilling } from './keep-killing.ts';
import { type LiveServer, openLiveServer } from './live-server.ts';
import type { HasRead, ReaderCommands } from './readers.ts';
import type { Failures, Reach } from './server-of.ts';
import { soakRows } from './soak-rows.ts';
import type { Told } from './tails.ts';
import { type MemoryByThird, watchMemory } from './watch-memory.ts';
import { withClient } from './with-client.ts';
import type { WriterCommands, Written } from './writers.ts';

export interface SoakOptions {
  readonly database: () => Promise<string>;
  /** Whether that is the benchmark's own, whose processes may be killed. */
  readonly owned: boolean;
  readonly seconds: number;
  readonly kill: boolean;
  /** Records a second, or a part of the peak: 0.8 unless told otherwise. */
  readonly rate?: { readonly perSecond: number } | { readonly ofPeak: number } | undefined;
}

/** What a soak has seen, for its rows and for who looks into the JSON. */
export interface SoakSeen {
  readonly options: Pick<SoakOptions, 'seconds' | 'kill'>;
  readonly peakPerSecond: number;
  readonly askedPerSecond: number;
  readonly written: Written;
  readonly read: HasRead;
  readonly told: readonly Told[];
  readonly memory: Record<'server' | 'writers' | 'readers' | 'benchmark', MemoryByThird>;
  readonly erased: Erased;
  readonly kills: Failures;
  readonly serverErrors: Failures;
  readonly partitionsMade: readonly string[];
  readonly end: LogEnd;
  readonly stored: Stored;
  readonly tails: readonly TailCheck[];
  readonly log: LogCheck;
}

export interface SoakResult {
  readonly rows: readonly Row[];
  readonly details: object;
}

const tenantId = 'soak';
const leaving = 'usr_leaving';
/**
 * When the person is erased, as a part of the run: so early that the last third comes after it, where that is possible;
 * under kills, while a plan, which is one call, takes less time than there is between two of them.
 */
const erasingAt = { calm: 0.35, killed: 0.1 };

/**
 * Write at a part of the peak for a long time, beside readers, tails, exports, the erasure of a person and a month
 * that begins; with `kill`, while the server and the database's processes are killed. In the end everything that was
 * acknowledged is looked for, and everything that was told is compared with the log.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const databaseUrl = await options.database();
  const key = await makeKey(databaseUrl);
  await using opened = new AsyncDisposableStack();
  const server = opened.adopt(await openLiveServer(databaseUrl), (it) => it.close());
  const writers = opened.adopt(startChild<WriterCommands>(fileOf('writers')), (it) => it.close());
  const readers = opened.adopt(startChild<ReaderCommands>(fileOf('readers')), (it) => it.close());
  const parts: Parts = { options, databaseUrl, server, writers, readers, key };
  const seen = await run(parts);
  return soakRows(seen);
}

interface Parts {
  readonly options: SoakOptions;
  readonly databaseUrl: string;
  readonly server: LiveServer;
  readonly writers: Child<WriterCommands>;
  readonly readers: Child<ReaderCommands>;
  readonly key: string;
}

async function makeKey(databaseUrl: string): Promise<string> {
  const bench = await openBench(databaseUrl);
  try {
    return (await bootstrapKey(bench.services, { tenantId, name: 'soak', scopes })).secret;
  } finally {
    await bench.close();
  }
}

function fileOf(name: string): string {
  return `${import.meta.dirname}/${name}.ts`;
}

async function run(parts: Parts): Promise<SoakSeen> {
  const { options, databaseUrl, server, writers, readers, key } = parts;
  const reach: Reach = { url: server.url, key, killed: options.kill };
  const lengthMs = options.seconds * 1_000;
  const peakSeconds = Math.min(20, Math.max(5, options.seconds / 10));
  tell('the peak');
  await readers.call('start', readInput(reach, { lengthMs, startsInMs: (peakSeconds + 3) * 1_000 }));
  const shiftMs = shiftBefore(lengthMs + (peakSeconds + 60) * 1_000);
  await writers.call('write', { reach, seconds: 3, shiftMs });
  const peak = await writers.call('write', { reach, seconds: peakSeconds, shiftMs });
  const askedPerSecond = askedOf(options, peak.perSecond);
  tell(`${Math.round(peak.perSecond)} records/s at the peak, ${Math.round(askedPerSecond)} asked for`);
  const partitionsBefore = await partitionsOf(databaseUrl);
  const stopping = new AbortController();
  const { signal } = stopping;
  const erasing = options.kill ? erasingAt.killed : erasingAt.calm;
  // A plan looks through all activities.
  const annals = createAnnals({ url: server.url, apiKey: key, timeoutMs: stillMs });
  const beside = Promise.all([
    watchMemory(gaugesOf(parts), { lengthMs, signal }),
    options.kill ? keepKilling({ ...parts, ...options, everyMs: killEveryMs(lengthMs), signal }) : {},
    delay(lengthMs * erasing).then(() => erasePerson(annals, leaving)),
  ]);
  // Awaited below, once the writers are done.
  beside.catch(() => undefined);
  const written = await writers.call('write', {
    reach,
    seconds: options.seconds,
    perSecond: askedPerSecond,
    shiftMs: shiftBefore(0) - lengthMs / 2,
    leaving: { actor: leaving, at: erasing * 0.7 },
  });
  stopping.abort();
  tell('what was written is answered; the rest');
  const [memory, kills, erased] = await within(beside, 'erasing');
  tell('the person is erased');
  const read = await within(readers.call('stop', undefined), 'reading');
  const checked = await check(parts, { annals, written });
  const partitions = await partitionsOf(databaseUrl);
  return {
    ...checked,
    options,
    peakPerSecond: peak.perSecond,
    askedPerSecond,
    written,
    read,
    memory,
    erased,
    kills,
    serverErrors: server.errors,
    partitionsMade: partitions.filter((name) => !partitionsBefore.includes(name)),
  };
}

async function check(
  { databaseUrl, readers }: Parts,
  { annals, written }: { readonly annals: Annals; readonly written: Written },
) {
  return withClient(databaseUrl, async (client) => {
    const end = await untilSigned(client, { tenantId, withinMs: stillMs });
    tell('the log is signed');
    const told = await within(readers.call('endTails', end.size), 'the tails');
    tell('the tails have told all; counting');
    return {
      end,
      told,
      stored: await checkStored(client, { tenantId, ...written }),
      tails: await checkTails(client, { tenantId, told }),
      log: await checkLog(client, { annals, tenantId, end }),
    };
  });
}

function readInput(reach: Reach, { lengthMs, startsInMs }: { lengthMs: number; startsInMs: number }) {
  return {
    reach,
    startsInMs,
    lateAfterMs: startsInMs + lengthMs / 2,
    tailStayMs: Math.min(30_000, lengthMs / 5),
    exportEveryMs: Math.min(30_000, lengthMs / 5),
  };
}

/** From now to a time so long before the first of a month that has no partition yet. */
function shiftBefore(ms: number): number {
  const now = new Date();
  const month = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 2, 1);
  return month - ms - now.getTime();
}

function askedOf({ rate }: SoakOptions, peakPerSecond: number): number {
  if (rate && 'perSecond' in rate) return rate.perSecond;
  return peakPerSecond * (rate?.ofPeak ?? 0.8);
}

/** 20 s, or as short as it must be to kill six times. */
function killEveryMs(lengthMs: number): number {
  return Math.min(20_000, lengthMs / 6);
}

function gaugesOf({ server, writers, readers }: Parts) {
  return {
    server: () => server.memory(),
    writers: () => writers.memory(),
    readers: () => readers.memory(),
    benchmark: async () => process.memoryUsage.rss(),
  };
}

async function partitionsOf(databaseUrl: string): Promise<string[]> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits
        where inhparent = 'annals.activity'::regclass order by 1`,
    );
    return rows.map(({ name }) => name);
  });
}

/** How long anything may still take once the writers are done. */
const stillMs = 900_000;

/** Errors: where something hangs, so that the soak ends and says what. */
async function within<T>(work: Promise<T>, what: string): Promise<T> {
  const late = new AbortController();
  const hangs = delay(stillMs, undefined, late).then(() => {
    throw new Error(`${what} has not ended within ${stillMs / 1_000} s`);
  });
  try {
    return await Promise.race([work, hangs]);
  } finally {
    hangs.catch(() => undefined);
    late.abort();
  }
}

function tell(text: string): void {
  process.stderr.write(`  ${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

import { createAnnals } from '@annals/client';
import { createCalls } from '../data/calls.ts';
import { quantile } from '../row.ts';
import { serveCommands } from '../soak/child.ts';
import { openDrizzle } from './ingest-drizzle.ts';
import { openReferences, type Write } from './ingest-references.ts';

/** The process that writes, by the SDK or past the server: what it takes is the client's. */
export interface ClientCommands {
  readonly open: (reach: Reach) => Promise<void>;
  readonly run: (input: RunInput) => Promise<Ran>;
  readonly [name: string]: (input: never) => Promise<unknown>;
}

export interface Reach {
  /** The server. */
  readonly url: string;
  /** Of the deployment, whose tenants are there. */
  readonly apiKey: string;
  readonly databaseUrl: string;
}

export interface RunInput {
  readonly way: Way;
  readonly seconds: number;
}

/** A run until its last call was answered. */
export interface Ran {
  readonly records: number;
  readonly ms: number;
  /** Microseconds of processor time. */
  readonly clientUs: number;
  /** Milliseconds of a call. */
  readonly p50: number;
  readonly p99: number;
}

const few = 4;

/** Callers at once, and activities of a call. Past the server, each caller has a connection of its own. */
const loads = {
  logMany: { callers: 2, callSize: 1_000 },
  copy: { callers: 2, callSize: 1_000 },
  insertMany: { callers: 2, callSize: 1_000 },
  log: { callers: 64, callSize: 1 },
  insertEach: { callers: few, callSize: 1 },
  flushEach: { callers: few, callSize: 1 },
  drizzleEach: { callers: few, callSize: 1 },
} as const;

export type Way = keyof typeof loads;

const nextCall = createCalls(Date.now() - 86_400_000);
let writes: Record<Way, Write> | undefined;

async function open({ url, apiKey, databaseUrl }: Reach): Promise<void> {
  const annals = createAnnals({ url, apiKey });
  const references = await openReferences(databaseUrl, few);
  const drizzle = openDrizzle(databaseUrl, few);
  writes = {
    ...references,
    logMany: async ({ tenantId, activities }) => {
      const { stored } = await annals.logMany(activities, { tenantId });
      if (stored !== activities.length) throw new Error(`${stored} of ${activities.length} were stored`);
    },
    log: async ({ tenantId, activities }) => {
      for (const activity of activities) await annals.log(activity, { tenantId });
    },
    drizzleEach: async ({ tenantId, activities }) => {
      for (const activity of activities) await drizzle.insert(tenantId, activity);
    },
  };
}

async function run({ way, seconds }: RunInput): Promise<Ran> {
  const { callers, callSize } = loads[way];
  const write = writes?.[way] as Write;
  const callMs: number[] = [];
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  const caller = async (number: number) => {
    for (let nowMs = startMs; nowMs < startMs + seconds * 1_000; ) {
      const beganMs = nowMs;
      await write(nextCall(callSize), number);
      nowMs = performance.now();
      callMs.push(nowMs - beganMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, number) => caller(number)));
  const { user, system } = process.cpuUsage(cpu);
  return {
    records: callMs.length * callSize,
    ms: performance.now() - startMs,
    clientUs: user + system,
    p50: quantile(callMs, 0.5),
    p99: quantile(callMs, 0.99),
  };
}

serveCommands({ open, run } satisfies ClientCommands);

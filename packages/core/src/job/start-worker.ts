import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { runTaskList, type WorkerEvents, type WorkerPool } from 'graphile-worker';
import { Pool } from 'pg';
import type { Services } from '../context.ts';
import { toDomainError } from '../database/domain-error.ts';
import { roles, takeRole } from '../database/roles.ts';
import { startSealing } from '../manifest/start-sealing.ts';
import { describeFailure } from './describe-failure.ts';
import { createGraphileLogger } from './graphile-logger.ts';
import { runJobTask } from './graphile-queue.ts';
import { isAborted } from './is-aborted.ts';
import { startMaintenance } from './maintenance.ts';
import { runJob } from './run-job.ts';

export interface WorkerOptions {
  /** The app role's connection, which the queue keeps for itself; the jobs use those of `services.db`. */
  readonly connectionString: string;
  /** Whether the connection must take the app role by SET ROLE, its login being another. */
  readonly setRole: boolean;
  /** Jobs at once; 2 unless told otherwise. */
  readonly concurrency?: number;
}

export interface Worker {
  /** Finish the chunks in hand, leave the rest of their jobs to others, and let go of everything. */
  stop(): Promise<void>;
}

/**
 * Run the jobs of the queue, the maintenance, and the sealing of manifests, until `stop`. Any number of processes may do so.
 *
 * Errors  `unavailable` when the database cannot be reached at the start; later it is waited for.
 */
export async function startWorker(
  services: Services,
  { connectionString, setRole, concurrency = 2 }: WorkerOptions,
): Promise<Worker> {
  const pool = openPool(services, { connectionString, setRole, max: concurrency + 2 });
  try {
    await pool.query('select 1');
  } catch (error) {
    await pool.end();
    throw toDomainError(error);
  }
  const stopping = new AbortController();
  const runners = keepRunning({ services, pool, concurrency, signal: stopping.signal });
  const maintenance = startMaintenance(services);
  const sealing = startSealing(services);
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all([maintenance.stop(), sealing.stop(), runners]);
      await pool.end();
    },
  };
}

/** `max`: one connection a job, one to listen, and one for the queue's own upkeep. */
function openPool(
  services: Services,
  { connectionString, setRole, max }: { connectionString: string; setRole: boolean; max: number },
): Pool {
  const pool = new Pool({
    connectionString,
    application_name: 'annals queue',
    max,
    ...(setRole && { onConnect: takeRole(roles.app) }),
  });
  // A dropped connection fails the query in hand; without listeners it would end the process besides.
  const lost = () => services.log.warn({ component: 'queue' }, 'a connection to the database was lost');
  pool.on('error', lost);
  pool.on('connect', (client) => client.on('error', lost));
  return pool;
}

interface Running {
  readonly services: Services;
  readonly pool: Pool;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

const restartMs = 1_000;
const pollMs = 1_000;

/**
 * Look for jobs until the signal. A pool of workers gives up when one of them cannot report what it did, and
 * never recovers when its first look-up fails, as when the database goes away: then another takes its place.
 */
async function keepRunning({ services, signal, ...options }: Running): Promise<void> {
  while (!isAborted(signal)) {
    const failing = new AbortController();
    const workers = startWorkers({ services, signal, ...options }, () => failing.abort());
    const ending = AbortSignal.any([signal, failing.signal]);
    ending.addEventListener('abort', () => void workers.gracefulShutdown(), { once: true });
    const failure = await workers.promise.then(() => undefined, describeFailure);
    if (isAborted(signal)) return;
    services.log.error({ component: 'queue', ...failure }, 'the job workers failed; others start');
    await delay(restartMs, undefined, { signal }).catch(() => undefined);
  }
}

function startWorkers({ services, pool, concurrency, signal }: Running, onFailing: () => void): WorkerPool {
  return runTaskList(
    {
      concurrency,
      pollInterval: pollMs,
      // Only so are reports tried again when they fail, and waited for at the end.
      preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
      // Signals are the process's to handle.
      noHandleSignals: true,
      logger: createGraphileLogger(services.log),
      events: watchLookups(2 * concurrency, onFailing),
    },
    {
      [runJobTask]: async (payload: unknown) => {
        const { tenantId, jobId } = payload as { tenantId: string; jobId: string };
        const outcome = await runJob(services, { tenantId, jobId, signal });
        // Another process can go on at once, and this one when it starts again.
        if (outcome === 'interrupted') await services.queue.enqueue({ tenantId, jobId });
      },
    },
    pool,
  );
}

/** Calls back when so many look-ups for jobs have failed in a row. */
function watchLookups(failuresMax: number, onFailing: () => void): WorkerEvents {
  const events: WorkerEvents = new EventEmitter();
  let failures = 0;
  const succeeded = () => {
    failures = 0;
  };
  events.on('worker:getJob:empty', succeeded);
  events.on('job:start', succeeded);
  events.on('worker:getJob:error', () => {
    failures += 1;
    if (failures === failuresMax) onFailing();
  });
  return events;
}

import { setTimeout as delay } from 'node:timers/promises';
import { type Runner, run } from 'graphile-worker';
import { Pool } from 'pg';
import type { Services } from '../context.ts';
import { roles } from '../database/roles.ts';
import { describeFailure } from './describe-failure.ts';
import { createGraphileLogger } from './graphile-logger.ts';
import { runJobTask } from './graphile-queue.ts';
import { startMaintenance } from './maintenance.ts';
import { runJob } from './run-job.ts';

export interface WorkerOptions {
  /** The app role's connection, which the queue keeps for itself; the jobs use those of `services.db`. */
  readonly connectionString: string;
  /** Whether the connection must take the app role by SET ROLE, its login being another. */
  readonly setRole: boolean;
  /** Jobs at once. */
  readonly concurrency?: number;
}

export interface Worker {
  /** Finish the chunks in hand, leave the rest of their jobs to others, and let go of everything. */
  stop(): Promise<void>;
}

/**
 * Run the jobs of the queue, and the maintenance, until `stop`. Any number of processes may do so.
 *
 * Errors  when the database cannot be reached at the start; later it is waited for.
 */
export async function startWorker(services: Services, options: WorkerOptions): Promise<Worker> {
  const stopping = new AbortController();
  const pool = openPool(services, options);
  const start = () =>
    startRunner(services, { pool, concurrency: concurrencyOf(options), signal: stopping.signal });
  let runner: Runner;
  try {
    runner = await start();
  } catch (error) {
    await pool.end();
    throw error;
  }
  // A runner gives up when a worker of its fails to report what it did, as when the database goes away.
  const supervised = (async () => {
    while (!stopping.signal.aborted) {
      const failure = await runner.promise.then(() => undefined, describeFailure);
      if (stopping.signal.aborted) return;
      services.log.error({ component: 'queue', ...failure }, 'the job runner ended; it starts again');
      await delay(restartMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (!stopping.signal.aborted) runner = await start().catch(() => runner);
    }
  })();
  const maintenance = startMaintenance(services);
  return {
    stop: async () => {
      stopping.abort();
      await maintenance.stop();
      // Rejects only when it has stopped by itself.
      await runner.stop().catch(() => undefined);
      await supervised;
      await pool.end();
    },
  };
}

const restartMs = 5_000;

function concurrencyOf({ concurrency = 2 }: WorkerOptions): number {
  return concurrency;
}

function openPool(services: Services, options: WorkerOptions): Pool {
  const pool = new Pool({
    connectionString: options.connectionString,
    application_name: 'annals queue',
    // One to listen, and one for the queue's own upkeep.
    max: concurrencyOf(options) + 2,
    ...(options.setRole && { options: `-c role=${roles.app}` }),
  });
  // A dropped connection fails the query in hand; without listeners it would end the process besides.
  const lost = () => services.log.warn({ component: 'queue' }, 'a connection to the database was lost');
  pool.on('error', lost);
  pool.on('connect', (client) => client.on('error', lost));
  return pool;
}

interface RunnerOptions {
  readonly pool: Pool;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

function startRunner(services: Services, { pool, concurrency, signal }: RunnerOptions): Promise<Runner> {
  return run({
    pgPool: pool,
    concurrency,
    // Signals are the process's to handle.
    noHandleSignals: true,
    logger: createGraphileLogger(services.log),
    parsedCronItems: [],
    taskList: {
      [runJobTask]: async (payload: unknown) => {
        const { tenantId, jobId } = payload as { tenantId: string; jobId: string };
        const outcome = await runJob(services, { tenantId, jobId, signal });
        // Another process can go on at once, and this one when it starts again.
        if (outcome === 'interrupted') await services.queue.enqueue({ tenantId, jobId });
      },
    },
  });
}

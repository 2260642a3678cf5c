import { Logger as GraphileLogger, makeWorkerUtils, run } from 'graphile-worker';
import { Pool } from 'pg';
import type { RuntimeRole } from '../database/roles.ts';
import { roles } from '../database/roles.ts';
import type { Logger } from '../logger.ts';
import type { JobQueue } from './queue.ts';

/** Names of the queue's tasks; a message of `job` holds the tenant and the job's id, and nothing personal. */
const tasks = { job: 'annals_job', maintenance: 'annals_maintenance' } as const;

export interface QueueConnection {
  readonly url: string;
  /** The login may take the roles by SET ROLE; otherwise it is the role's own. */
  readonly setRole: boolean;
  readonly log: Logger;
}

/** The queue as a producer sees it; owns a small pool of its own. */
export interface GraphileQueue extends JobQueue {
  /** Messages that wait and that are being worked on, for metrics. */
  depth(): Promise<{ waiting: number; running: number }>;
  close(): Promise<void>;
}

/** A queue on PostgreSQL (graphile-worker), whose schema `migrate` has made. Connects on first use. */
export async function openJobQueue(connection: QueueConnection): Promise<GraphileQueue> {
  const pool = openPool('app', connection);
  const utils = await makeWorkerUtils({ pgPool: pool, logger: forward(connection.log) });
  return {
    // A killed worker's message stays locked for hours, so every request is a message of its own; the lock on
    // the job's row makes it harmless when two are worked on at once.
    enqueue: async ({ tenantId, jobId }) => {
      await utils.addJob(tasks.job, { tenantId, jobId }, { maxAttempts: 3 });
    },
    depth: async () => {
      const { rows } = await pool.query<{ waiting: number; running: number }>(
        `select count(*) filter (where locked_at is null)::int as waiting,
          count(*) filter (where locked_at is not null)::int as running from graphile_worker.jobs`,
      );
      return rows[0] ?? { waiting: 0, running: 0 };
    },
    close: async () => {
      await utils.release();
      await pool.end();
    },
  };
}

export interface WorkerTasks {
  /** Run a job until it ends or the signal asks it to stop after the chunk in hand. */
  readonly runJob: (job: { tenantId: string; jobId: string }, signal: AbortSignal) => Promise<void>;
  /** Partitions ahead, expired plans, jobs that nobody works on; at start and every minute. */
  readonly maintain: () => Promise<void>;
}

export interface JobWorker {
  /** Stops taking messages and waits until the chunks in hand are committed. */
  stop(): Promise<void>;
}

/** Work on the queue's messages as the custodian, `concurrency` jobs at a time. */
export async function startJobWorker(
  connection: QueueConnection & { readonly concurrency: number },
  { runJob, maintain }: WorkerTasks,
): Promise<JobWorker> {
  const pool = openPool('custodian', connection, connection.concurrency + 2);
  const stopping = new AbortController();
  await maintain();
  const runner = await run({
    pgPool: pool,
    concurrency: connection.concurrency,
    noHandleSignals: true,
    pollInterval: 1_000,
    logger: forward(connection.log),
    crontab: `* * * * * ${tasks.maintenance} ?max=1`,
    taskList: {
      [tasks.job]: (payload) => runJob(payload as { tenantId: string; jobId: string }, stopping.signal),
      [tasks.maintenance]: maintain,
    },
  });
  return {
    stop: async () => {
      stopping.abort();
      await runner.stop();
      await pool.end();
    },
  };
}

function openPool(role: RuntimeRole, { url, setRole, log }: QueueConnection, max = 3): Pool {
  const pool = new Pool({ connectionString: url, max, application_name: `annals queue ${role}` });
  pool.on('error', (error) =>
    log.warn({ code: (error as { code?: unknown }).code }, 'queue connection lost'),
  );
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    // Queued before whatever the pool's user asks of the connection.
    if (setRole) client.query(`set role ${roles[role]}`).catch(() => undefined);
  });
  return pool;
}

/** graphile-worker logs payloads and errors in its texts; ours are ids, but only levels and texts go on. */
function forward(log: Logger): GraphileLogger {
  return new GraphileLogger((scope) => (level, message) => {
    const fields = { component: 'queue', task: scope.taskIdentifier };
    if (level === 'error') log.error(fields, message);
    else if (level === 'warning') log.warn(fields, message);
    else log.debug(fields, message);
  });
}

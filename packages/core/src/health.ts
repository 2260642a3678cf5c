import { sql } from 'kysely';
import type { Services } from './context.ts';
import type { Database } from './database/database.ts';
import { sequencingLag } from './log/sequencing-lag.ts';
import { signingLag } from './signer/signing-lag.ts';

/** Whether the database answers. */
export async function isReachable(db: Pick<Database, 'query'>): Promise<boolean> {
  try {
    await db.query(sql`select 1`);
    return true;
  } catch {
    return false;
  }
}

/** Messages of the job queue that wait for a worker, and that one works on; for metrics. */
export async function queueDepth(db: Pick<Database, 'query'>): Promise<{ waiting: number; running: number }> {
  const [depth] = await db.query(sql<{ waiting: number; running: number }>`
    select count(*) filter (where locked_at is null)::int as waiting,
      count(*) filter (where locked_at is not null)::int as running
    from graphile_worker.jobs`);
  return depth ?? { waiting: 0, running: 0 };
}

/** A process that keeps up stays below it by two orders of magnitude. */
const lagWarningMs = 10_000;

/** What does not keep this process from answering, but somebody should look at: one sentence each. */
export async function readinessWarnings(services: Pick<Services, 'db' | 'clock'>): Promise<string[]> {
  const sequencingMs = await sequencingLag(services);
  const signingMs = await signingLag(services);
  return [
    ...(sequencingMs < lagWarningMs
      ? []
      : [
          `a batch has waited ${Math.floor(sequencingMs / 1_000)} s for its place in the log; is a worker running, and what does its log say?`,
        ]),
    ...(signingMs < lagWarningMs
      ? []
      : [
          `a log that has grown has waited ${Math.floor(signingMs / 1_000)} s for its signature; is a signer running, and what does its log say?`,
        ]),
  ];
}

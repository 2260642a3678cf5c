import { setTimeout as delay } from 'node:timers/promises';
import { type Annals, AnnalsError, type Job } from '@annals/client';

export interface Erased {
  /** Activities that named the person. */
  readonly changed: number;
  /** Values that still named the person when the erasure had ended. */
  readonly residual: number;
  readonly examined: number;
  readonly seconds: number;
}

/** Erase every trace of a person, as an operator would, who tries again when nobody answers. */
export async function erasePerson(annals: Annals, id: string): Promise<Erased> {
  const beganMs = Date.now();
  const plan = await untilAnswered(() => annals.privacy.planAnonymize({ ids: [id] }));
  const { id: jobId } = await untilAnswered(() =>
    annals.privacy.applyAnonymize({ planId: plan.id, driftMax: 1 }),
  );
  const { status, error, result, done } = await untilEnded(annals, jobId);
  if (status !== 'completed') throw new Error(`the erasure is ${status}: ${error?.message}`);
  return {
    changed: result?.changed ?? 0,
    residual: result?.residual?.matches ?? 0,
    examined: done,
    seconds: (Date.now() - beganMs) / 1_000,
  };
}

async function untilEnded(annals: Annals, id: string): Promise<Job> {
  for (;;) {
    const job = await untilAnswered(() => annals.jobs.get(id));
    if (job.status === 'failed') await untilAnswered(() => annals.jobs.resume(id));
    else if (job.status === 'completed' || job.status === 'cancelled') return job;
    await delay(500);
  }
}

/** Plans are made anew, and a plan that was applied meanwhile says so. */
async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof AnnalsError) || error.code !== 'unavailable') throw error;
      await delay(500);
    }
  }
}

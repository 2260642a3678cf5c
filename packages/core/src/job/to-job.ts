import { AnnalsError, type Job } from '@annals/contract';
import type { InferEntity } from '@mikro-orm/core';
import type { JobEntity } from './entity.ts';

export type JobRow = InferEntity<typeof JobEntity>;

/** A stored job as it is shown. */
export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    tenantId: row.tenantId,
    planId: row.planId,
    kind: row.kind,
    status: row.status,
    done: row.done,
    total: row.total,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    ...(row.endedAt && { endedAt: row.endedAt }),
    ...(row.error && { error: row.error }),
    ...(row.result && { result: row.result }),
  };
}

export function jobNotFound(path = 'id'): AnnalsError {
  return new AnnalsError({ code: 'not_found', message: 'there is no such job', path });
}

/** Whether nothing more happens to a job by itself; one that failed can be resumed. */
export function hasEnded({ status }: Pick<Job, 'status'>): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

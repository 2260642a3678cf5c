import type { ErrorCode, JobKind, JobResult, JobStatus } from '@annals/contract';
import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';
import type { JobCursor } from './job-cursor.ts';

/**
 * The durable state of one run of a plan. Every chunk's transaction locks this row and moves `cursor`, so a
 * chunk is applied exactly once however many workers try, and a killed run goes on where it committed last.
 */
export const JobEntity = defineEntity({
  name: 'Job',
  tableName: 'job',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    id: p.uuid().primary(),
    planId: p.uuid(),
    kind: p.type('text').$type<JobKind>(),
    status: p.type('text').$type<JobStatus>(),
    cancelRequested: p.boolean(),
    done: p.bigint('number'),
    total: p.bigint('number'),
    /** Where the next chunk begins, and what the run must remember between chunks. */
    cursor: p.json<JobCursor>().nullable(),
    /** Counts so far, in the making; final when the job has ended. */
    result: p.json<JobResult>().nullable(),
    error: p.json<{ code: ErrorCode; message: string }>().nullable(),
    /** Annals' own records of its request and of its end, and the manifests that list what it removed. */
    requestedId: p.uuid().nullable(),
    completedId: p.uuid().nullable(),
    manifestIds: p.type('uuid[]').$type<string[]>().nullable(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    endedAt: p.datetime(3).nullable(),
  },
});

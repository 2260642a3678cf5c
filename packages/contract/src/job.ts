import { z } from 'zod';
import { errorCodes } from './errors.ts';
import { limits } from './limits.ts';
import { tenantId } from './text.ts';

export const jobKinds = ['anonymize', 'redact', 'retention'] as const;
export type JobKind = (typeof jobKinds)[number];

/** `queued -> running -> completed | failed | cancelled`; a failed or interrupted job can be resumed. */
export const jobStatuses = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

const CountOf = z.strictObject({ name: z.string(), count: z.int() });

/** What an ended job did. */
export const JobResult = z.strictObject({
  /** Activities changed or removed. */
  changed: z.int(),
  /** Changed values by field, or removed activities by policy. */
  counts: z.array(CountOf),
  /** Activities that would have changed or gone, but that active holds matched. */
  held: z.int(),
  partitionsDropped: z.array(z.string()).optional(),
  /** Erasures end with a scan for what was to go: zero, or where some remains. */
  residual: z.strictObject({ matches: z.int(), places: z.array(CountOf) }).optional(),
  /** The pseudonym that now stands for the person, where the mode asked for one. */
  pseudonym: z.string().optional(),
});
export type JobResult = z.output<typeof JobResult>;

export const Job = z.strictObject({
  id: z.uuid(),
  tenantId: z.string(),
  planId: z.uuid(),
  kind: z.enum(jobKinds),
  status: z.enum(jobStatuses),
  /** Activities examined so far, of those there were when the job began; an anonymize run examines each twice. */
  done: z.int(),
  total: z.int(),
  createdAt: z.date(),
  updatedAt: z.date(),
  endedAt: z.date().optional(),
  error: z.strictObject({ code: z.enum(errorCodes), message: z.string() }).optional(),
  result: JobResult.optional(),
});
export type Job = z.output<typeof Job>;

export const JobInput = z.strictObject({ tenantId: tenantId.optional(), id: z.uuid() });
export type JobInput = z.output<typeof JobInput>;
export const JobListInput = z.strictObject({
  tenantId: tenantId.optional(),
  limit: z.int().min(1).max(limits.pageSizeMax).default(limits.pageSizeDefault),
});
export type JobListInput = z.output<typeof JobListInput>;
export const JobListResult = z.strictObject({ jobs: z.array(Job) });
export type JobListResult = z.output<typeof JobListResult>;

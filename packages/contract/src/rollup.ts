import { z } from 'zod';
import { tenantId } from './text.ts';

/** A day of UTC, as 2026-01-31. The database knows no year 0. */
const day = z.iso
  .date('must be a day, as 2026-01-31')
  .refine((text) => text >= '0001-01-01', 'must lie in the years 1 to 9999');

export const RollupCheckInput = z.strictObject({
  tenantId: tenantId.optional(),
  /** The first day to look at; `next` of the call before. */
  from: day.default('1970-01-01'),
  /** Count anew what differs. */
  repair: z.boolean().default(false),
});
export type RollupCheckInput = z.output<typeof RollupCheckInput>;

/** Days whose counts were compared with their activities. */
export const RollupCheckResult = z.strictObject({
  days: z.int(),
  /** Of those, the days that differed, and by how many counts; with `repair` they have been counted anew. */
  differing: z.array(z.strictObject({ day, counts: z.int() })),
  /** Values that no count has any more; looked for by the last call alone, and removed with `repair`. */
  orphans: z.int(),
  /** Where to go on; absent at the end. */
  next: day.optional(),
});
export type RollupCheckResult = z.output<typeof RollupCheckResult>;

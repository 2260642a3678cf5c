import { z } from 'zod';
import { selection } from './activity/procedures.ts';
import { limits } from './limits.ts';
import { person } from './plan.ts';
import { tenantId, text } from './text.ts';

/** A legal hold: while it is active, what it matches is neither erased nor purged. */
export const Hold = z.strictObject({
  id: z.uuid(),
  tenantId: z.string(),
  name: z.string(),
  over: z.enum(['filter', 'person']),
  /**
   * What it matches, as query text or as a person. Forgotten when it is released; left out for keys without
   * `personal:read` where it can name somebody.
   */
  query: z.string().optional(),
  person: z.strictObject({ ids: z.array(z.string()), identifiers: z.array(z.string()) }).optional(),
  createdAt: z.date(),
  /** The key, as it is the actor of Annals' own records. */
  createdBy: z.string(),
  releasedAt: z.date().optional(),
  releasedBy: z.string().optional(),
  /** Only for keys with `personal:read`. */
  releaseReason: z.string().optional(),
});
export type Hold = z.output<typeof Hold>;

/** One of filter, query and person; the empty filter is every activity of the tenant. */
export const HoldCreateInput = z.strictObject({
  ...selection,
  /** What it is about, as "Claim 17": shown in plans. */
  name: text(limits.holdNameLengthMax),
  /** As for anonymizing: the hold matches what that would find. Labels are learned once, now. */
  person: z.strictObject(person).optional(),
});
export type HoldCreateInput = z.output<typeof HoldCreateInput>;

export const HoldListInput = z.strictObject({
  tenantId: tenantId.optional(),
  limit: z.int().min(1).max(limits.pageSizeMax).default(limits.holdsMax),
});
export type HoldListInput = z.output<typeof HoldListInput>;
export const HoldListResult = z.strictObject({ holds: z.array(Hold) });
export type HoldListResult = z.output<typeof HoldListResult>;

export const HoldReleaseInput = z.strictObject({
  tenantId: tenantId.optional(),
  id: z.uuid(),
  /** Kept with the hold, and in no record. */
  reason: text(limits.holdReasonLengthMax).optional(),
});
export type HoldReleaseInput = z.output<typeof HoldReleaseInput>;

import { z } from 'zod';
import { actionKey } from './activity/activity-input.ts';
import { selection } from './activity/procedures.ts';
import { kinds, severities } from './activity/vocabulary.ts';
import { jobKinds } from './job.ts';
import { limits } from './limits.ts';
import { tenantId, text } from './text.ts';

const CountOf = z.strictObject({ name: z.string(), count: z.int() });

/** What a destructive run would do; nothing is changed until it is applied. */
export const Plan = z.strictObject({
  id: z.uuid(),
  tenantId: z.string(),
  kind: z.enum(jobKinds),
  createdAt: z.date(),
  /** An open plan can be applied until then. */
  expiresAt: z.date(),
  /** What the operator must type to apply: the person's first id, or the tenant's id. */
  confirm: z.string(),
  /** Activities that would change or go. */
  activities: z.int(),
  byField: z.array(CountOf),
  /** By month of `occurredAt`, as 2026-01. */
  byMonth: z.array(CountOf),
  /** Of a retention plan: activities by policy. */
  byPolicy: z.array(CountOf),
  /** Activities that would change or go too, but that active holds match: they stay as they are. */
  held: z.int(),
  /** The holds that match them; one activity can be under several. */
  holds: z.array(z.strictObject({ id: z.uuid(), name: z.string(), activities: z.int() })),
  /** Months whose whole partition would be dropped. */
  partitionsDropped: z.array(z.string()),
  /** What an anonymize run would look for, and in how many activities each was found. */
  identifiers: z.array(
    z.strictObject({
      value: z.string(),
      origin: z.enum(['given', 'learned']),
      activities: z.int(),
      /**
       * Why the run would not look for it in texts: it would be found everywhere, it labels others too, or the
       * caller excepted it.
       */
      skipped: z.enum(['short', 'shared', 'excepted']).optional(),
    }),
  ),
  sampleIds: z.array(z.uuid()),
  estimatedSeconds: z.number(),
});
export type Plan = z.output<typeof Plan>;

const identifier = text(limits.idLengthMax).refine(
  (value) => value.length >= limits.identifierLengthMin,
  `must be at least ${limits.identifierLengthMin} characters, or it would match everywhere`,
);

/** How a call names a person. */
export const person = {
  /** The person's ids, as they stand in actor.id, subject.id and target.id. */
  ids: z.array(text(limits.idLengthMax)).min(1, 'must name at least one id').max(limits.identifiersMax),
  /** What else names the person and is searched in text and JSON: e-mail addresses, names, addresses. */
  identifiers: z.array(identifier).max(limits.identifiersMax).default([]),
  /** Also search for the labels that the person's own records carry. */
  learn: z.boolean().default(true),
  /** Learned labels that do not name the person, as "Admin": left alone. */
  except: z.array(text(limits.labelLengthMax)).max(limits.identifiersMax).default([]),
};

export const PlanAnonymizeInput = z.strictObject({
  tenantId: tenantId.optional(),
  ...person,
  /** `anonymize` leaves no link; `pseudonymize` puts one random pseudonym in place of the ids. */
  mode: z.enum(['anonymize', 'pseudonymize']).default('anonymize'),
});
export type PlanAnonymizeInput = z.output<typeof PlanAnonymizeInput>;

/** Fields that `redact` can erase; `metadata.<path>` and `details.<path>` besides. */
export const redactableFields = [
  'actor.id',
  'actor.label',
  'subject.id',
  'target.id',
  'target.label',
  'channel',
  'source',
  'message',
  'reason',
  'context.ip',
  'context.userAgent',
  'context.requestId',
  'context.sessionId',
  'context.traceId',
  'context.spanId',
  'tags',
  'metadata',
  'details',
] as const;

export const PlanRedactInput = z.strictObject({
  ...selection,
  /** Each one of `redactableFields`, or a path into metadata or details as queries write it. */
  fields: z
    .array(text(limits.idLengthMax))
    .min(1, 'must name at least one field')
    .max(limits.redactFieldsMax),
});
export type PlanRedactInput = z.output<typeof PlanRedactInput>;

export const ApplyInput = z.strictObject({
  tenantId: tenantId.optional(),
  planId: z.uuid(),
  /** How far the world may have moved since the plan, as a fraction of its count. */
  driftMax: z.number().min(0).max(1).default(0),
});
export type ApplyInput = z.output<typeof ApplyInput>;

const actionPrefix = z
  .string()
  .max(limits.actionLengthMax, `must be at most ${limits.actionLengthMax} characters`)
  .regex(/^[a-z0-9_.-]+\.\*$/);

/** Keep what matches for so many days; the first matching policy decides, and no match keeps for ever. */
export const RetentionPolicy = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be 1 to 64 of a-z 0-9 _ -'),
  keepDays: z.int().min(1).max(limits.retentionDaysMax),
  /** Days count from when it happened, or from when it was recorded: then a backfill is not born expired. */
  since: z.enum(['occurredAt', 'recordedAt']).default('occurredAt'),
  kinds: z.array(z.enum(kinds)).min(1).max(kinds.length).optional(),
  severities: z.array(z.enum(severities)).min(1).max(severities.length).optional(),
  /** Exact actions, or prefixes as `invoice.*`. */
  actions: z
    .array(z.union([actionKey, actionPrefix]))
    .min(1)
    .max(limits.policyActionsMax, `must be at most ${limits.policyActionsMax} actions`)
    .optional(),
});
export type RetentionPolicy = z.output<typeof RetentionPolicy>;

export const TenantInput = z.strictObject({ tenantId: tenantId.optional() });
export const PoliciesInput = z.strictObject({
  tenantId: tenantId.optional(),
  policies: z
    .array(RetentionPolicy)
    .max(limits.policiesMax)
    .refine(
      (list) => new Set(list.map((policy) => policy.name)).size === list.length,
      'must have distinct names',
    ),
});
export type PoliciesInput = z.output<typeof PoliciesInput>;
export const PoliciesResult = z.strictObject({ policies: z.array(RetentionPolicy) });
export type PoliciesResult = z.output<typeof PoliciesResult>;

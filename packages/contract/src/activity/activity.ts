import { z } from 'zod';
import type { JsonObject } from '../json.ts';
import { actorTypes, kinds, operations, outcomes, severities, visibilities } from './vocabulary.ts';

/** What stands in a personal field that the key may not see. */
export const mask = '[masked]';

const recordObject = () =>
  z.custom<JsonObject>((value) => typeof value === 'object' && value !== null).meta({ title: 'JsonObject' });

/**
 * One activity as it is read. Optional fields are absent, never null. A field that was erased is absent and
 * named in `erased` (`actor.id`, `metadata.plan`; `metadata.*` where the key itself was personal).
 */
export const Activity = z.strictObject({
  id: z.uuid(),
  tenantId: z.string(),
  scopeId: z.string().optional(),
  action: z.string(),
  kind: z.enum(kinds),
  operation: z.enum(operations).optional(),
  severity: z.enum(severities),
  outcome: z.enum(outcomes),
  visibility: z.enum(visibilities),
  occurredAt: z.date(),
  recordedAt: z.date(),
  actor: z.strictObject({
    type: z.enum(actorTypes),
    id: z.string().optional(),
    label: z.string().optional(),
  }),
  subject: z.strictObject({ id: z.string() }).optional(),
  target: z
    .strictObject({ type: z.string(), id: z.string().optional(), label: z.string().optional() })
    .optional(),
  channel: z.string().optional(),
  source: z.string().optional(),
  message: z.string().optional(),
  reason: z.string().optional(),
  context: z
    .strictObject({
      ip: z.string().optional(),
      userAgent: z.string().optional(),
      requestId: z.string().optional(),
      sessionId: z.string().optional(),
      traceId: z.string().optional(),
      spanId: z.string().optional(),
    })
    .optional(),
  tags: z.array(z.string()),
  metadata: recordObject(),
  details: recordObject().optional(),
  erased: z.array(z.string()).optional(),
});

export type Activity = z.output<typeof Activity>;

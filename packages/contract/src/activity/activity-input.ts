import { z } from 'zod';
import { jsonObject } from '../json.ts';
import { limits } from '../limits.ts';
import { moment, optionalText, text } from '../text.ts';
import { detailsByKind } from './details.ts';
import { actorTypes, operations, outcomes, severities, visibilities } from './vocabulary.ts';

const id = () => optionalText(limits.idLengthMax);
const label = () => optionalText(limits.labelLengthMax);
const keyword = () => optionalText(limits.keywordLengthMax);

/** A namespaced key: lowercase segments of `a-z 0-9 _ -` joined by dots. */
export const actionKey = z
  .string()
  .trim()
  .max(limits.actionLengthMax, `must be at most ${limits.actionLengthMax} characters`)
  .regex(
    /^[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*$/,
    'must be lowercase segments of a-z 0-9 _ - joined by dots, as invoice.voided',
  );

export const actorInput = z.strictObject({ type: z.enum(actorTypes), id: id(), label: label() });

export const targetInput = z.strictObject({
  type: text(limits.keywordLengthMax),
  id: text(limits.idLengthMax),
  label: label(),
});

export const contextInput = z.strictObject({
  ip: z.union([z.ipv4(), z.ipv6()], 'must be an IPv4 or IPv6 address').transform(plainAddress).optional(),
  userAgent: optionalText(limits.userAgentLengthMax),
  requestId: id(),
  sessionId: id(),
  traceId: id(),
  spanId: id(),
});

/** Dual-stack sockets report IPv4 peers as `::ffff:192.0.2.1`; kept so, no filter on the address would find it. */
function plainAddress(ip: string): string {
  return ip.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}

const common = {
  /** UUIDv7 whose 48-bit time equals `occurredAt`; minted once, before the first attempt. */
  id: z.uuid({ version: 'v7', error: 'must be a UUID of version 7' }).toLowerCase().optional(),
  /** Derives the id instead, so that a retry from another process is the same activity. */
  idempotencyKey: id(),
  scopeId: id(),
  action: actionKey,
  operation: z.enum(operations).optional(),
  severity: z.enum(severities).default('info'),
  outcome: z.enum(outcomes).default('success'),
  visibility: z.enum(visibilities).default('internal'),
  occurredAt: moment.optional(),
  actor: actorInput,
  subject: z.strictObject({ id: text(limits.idLengthMax) }).optional(),
  target: targetInput.optional(),
  channel: keyword(),
  source: label(),
  message: optionalText(limits.textLengthMax),
  reason: optionalText(limits.textLengthMax),
  context: contextInput.optional(),
  tags: z
    .array(text(limits.tagLengthMax))
    .max(limits.tagsMax, `must be at most ${limits.tagsMax} tags`)
    .transform((tags) => [...new Set(tags)])
    .default([]),
  metadata: jsonObject.default({}),
};

function ofKind<K extends keyof typeof detailsByKind>(kind: K) {
  return z.strictObject({ ...common, kind: z.literal(kind), details: detailsByKind[kind].optional() });
}

/**
 * What a caller hands to `activity.log`: one activity before it has a tenant, a receive time and, when the
 * caller minted none, an id.
 *
 * Strings are trimmed and an empty optional one counts as absent. Objects are copied. Every refusal names
 * the field and the limit. `details` is typed by `kind`; the kind `activity`, the default, carries none.
 */
export const ActivityInput = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('activity').default('activity') }),
  ofKind('auth'),
  ofKind('data_access'),
  ofKind('data_change'),
  ofKind('api_call'),
  ofKind('external_call'),
  ofKind('system'),
]);

export type ActivityInput = z.input<typeof ActivityInput>;
export type ValidActivity = z.output<typeof ActivityInput>;

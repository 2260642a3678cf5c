import { randomBytes } from 'node:crypto';
import type { JsonObject } from '@annals/contract';
import { v7 } from 'uuid';

/** What the builder fills; a structural part of the contract's activity input. */
export interface ActivityFields {
  id: string;
  action: string;
  actor: { type: 'user' | 'system' | 'worker' | 'integration' | 'anonymous'; id?: string; label?: string };
  target?: { type: string; id: string; label?: string };
  occurredAt: Date;
  message?: string;
  context?: { ip?: string; userAgent?: string; requestId?: string; sessionId?: string };
  metadata?: JsonObject;
}

/**
 * A believable activity, the same each time but for the random part of its id.
 *
 * The id is a UUIDv7 whose time equals `occurredAt`, also when only `occurredAt` is overridden.
 * Overrides replace whole top-level fields; any field of an activity may be given.
 */
export function anActivity<T extends object = object>(
  overrides?: T & Partial<ActivityFields>,
): Required<ActivityFields> & T {
  const occurredAt = overrides?.occurredAt ?? new Date('2026-01-15T12:00:00.000Z');
  const fields: Required<ActivityFields> = {
    id: v7({ msecs: occurredAt.getTime() }),
    action: 'invoice.voided',
    actor: { type: 'user', id: 'user_ada', label: 'Ada Lovelace' },
    target: { type: 'invoice', id: 'inv_1042', label: 'Invoice 1042' },
    occurredAt,
    message: 'Ada Lovelace voided Invoice 1042',
    context: { ip: '203.0.113.7', userAgent: 'Mozilla/5.0', requestId: 'req_1', sessionId: 'ses_1' },
    metadata: { amountCents: 129_900, currency: 'EUR' },
  };
  return Object.assign(fields, overrides);
}

/** A tenant id that no other test has: `t_` and 16 lowercase hex digits. */
export function aTenantId(): string {
  return `t_${randomBytes(8).toString('hex')}`;
}

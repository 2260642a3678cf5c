import { customers, intruder, people } from './cast.ts';
import type { Draft } from './generate.ts';
import type { Random } from './random.ts';

interface Night {
  readonly random: Random;
  readonly midnight: Date;
}

const minuteMs = 60_000;

/** Scheduled work in the small hours: reminders, a backup, a search index. */
export function nightlyJobs({ random, midnight }: Night): Draft[] {
  const drafts: Draft[] = [];
  const reminders = random.int(60, 140);
  for (let sent = 0; sent < reminders; sent += 1) {
    const invoice = `inv_${random.int(1_000, 4_999)}`;
    drafts.push({
      action: 'reminder.sent',
      actor: { type: 'worker', id: 'worker_mailer', label: 'Mailer' },
      occurredAt: new Date(midnight.getTime() + 120 * minuteMs + sent * random.int(900, 2_400)),
      channel: 'mail',
      source: 'mailer',
      target: { type: 'invoice', id: invoice, label: `Invoice ${invoice.slice(4)}` },
      visibility: 'client',
      metadata: { customer: random.pick(customers), attempt: random.int(1, 3) },
    });
  }
  const failed = random.chance(0.1);
  drafts.push({
    action: failed ? 'backup.failed' : 'backup.completed',
    actor: { type: 'system', id: 'scheduler', label: 'Scheduler' },
    kind: 'system',
    severity: failed ? 'critical' : 'info',
    outcome: failed ? 'failure' : 'success',
    occurredAt: new Date(midnight.getTime() + 180 * minuteMs),
    source: 'scheduler',
    visibility: 'system',
    message: failed ? 'Backup failed: the volume is full' : 'Backup completed',
    details: { component: 'backup', ...(failed && { errorCode: 'ENOSPC' }) },
    metadata: { bytes: random.int(4_000_000, 9_000_000) },
  });
  return drafts;
}

/** What other companies' systems tell ours, and what ours asks of them, around the clock. */
export function webhooks({ random, midnight }: Night): Draft[] {
  return Array.from({ length: random.int(70, 130) }, () => {
    const failed = random.chance(0.04);
    return {
      action: failed ? 'payment.failed' : 'payment.received',
      actor: { type: 'integration', id: 'payments', label: 'Payment provider' },
      kind: 'external_call',
      severity: failed ? 'error' : 'info',
      outcome: failed ? 'failure' : 'success',
      occurredAt: new Date(midnight.getTime() + random.int(0, 86_399_999)),
      channel: 'webhook',
      source: 'payments',
      target: { type: 'invoice', id: `inv_${random.int(1_000, 4_999)}` },
      details: {
        service: 'payments',
        method: 'POST',
        statusCode: failed ? 502 : 200,
        durationMs: random.int(40, 2_000),
      },
      tags: ['billing', 'payments'],
      metadata: { amountCents: random.int(900, 480_000) },
    } satisfies Draft;
  });
}

/** One night somebody tries passwords; the last guess is right, and a second factor stops it. */
export function intrusion({ random, midnight }: Night): Draft[] {
  const guesses = 240;
  return Array.from({ length: guesses }, (_, guess) => {
    const person = random.pick(people);
    const last = guess === guesses - 1;
    return {
      action: last ? 'user.mfa_denied' : 'user.login_failed',
      actor: { type: 'anonymous' },
      subject: { id: person.id },
      kind: 'auth',
      outcome: last ? 'denied' : 'failure',
      severity: last ? 'critical' : 'warning',
      occurredAt: new Date(midnight.getTime() + 150 * minuteMs + guess * 7_000),
      channel: 'web',
      source: 'auth',
      message: `${last ? 'Second factor missing' : 'Wrong password'} for ${person.email}`,
      details: { method: 'password', failureReason: last ? 'second factor missing' : 'wrong password' },
      context: { ...intruder, requestId: `req_${random.hex(16)}` },
      tags: ['security'],
      metadata: { email: person.email },
    } satisfies Draft;
  });
}

import { anActivity } from '@annals/testkit';

/** The person of whom fields are redacted, the one who is anonymized, and the one who gets a pseudonym. */
export const persons = ['user_redacted', 'user_anonymized', 'user_pseudonym', 'user_kept'] as const;

/** When the activity of a number occurred: two old months, of which the first expires whole, and two newer ones. */
function timeOf(nth: number): Date {
  const month = nth < 20 ? '2025-01' : nth < 60 ? '2025-02' : nth % 2 === 0 ? '2026-04' : '2026-05';
  return new Date(Date.parse(`${month}-10T10:00:00.000Z`) + nth * 60_000);
}

/** Activities by number: the first 120 have a value in every field, the others fill the log. */
export function manyActivities(first: number, count: number): object[] {
  return Array.from({ length: count }, (_, at) => (first + at < 120 ? fullActivity : filler)(first + at));
}

function filler(nth: number): object {
  return {
    occurredAt: timeOf(nth),
    action: 'queue.drained',
    actor: { type: 'system' },
    metadata: { n: nth },
  };
}

function fullActivity(nth: number): object {
  const person = persons[nth % persons.length] ?? '';
  const pick = <T>(values: readonly T[]) => values[nth % values.length] as T;
  const expires = nth < 20 || (nth < 60 && nth % 2 === 0);
  const isChange = nth % 3 === 0;
  return anActivity({
    occurredAt: timeOf(nth),
    action: expires ? 'session.ended' : pick(['invoice.voided', 'invoice.paid', 'order.sent']),
    kind: isChange ? 'data_change' : 'data_access',
    operation: pick(['create', 'read', 'update', 'delete'] as const),
    severity: pick(['info', 'warning', 'error'] as const),
    outcome: pick(['success', 'failure', 'denied'] as const),
    visibility: pick(['internal', 'client', 'system'] as const),
    scopeId: `scope_${nth}`,
    actor: { type: pick(['user', 'integration'] as const), id: person, label: `Label of ${person} ${nth}` },
    subject: { id: pick(persons.slice(1)) },
    target: { type: pick(['invoice', 'order']), id: `target_${nth}`, label: `Target ${nth}` },
    channel: `channel_${nth}`,
    source: `source_${nth}`,
    message: `message ${nth} about ${person}`,
    reason: `reason ${nth}`,
    context: {
      ip: `203.0.113.${nth}`,
      userAgent: `Agent/${nth}`,
      requestId: `req_${nth}`,
      sessionId: `ses_${nth}`,
      traceId: nth.toString(16).padStart(32, '0'),
      spanId: nth.toString(16).padStart(16, '0'),
    },
    tags: ['a', `tag_${nth}`],
    metadata: { n: nth, user: { email: `${person}@example.com` }, plan: pick(['pro', 'free']) },
    details: isChange
      ? { resource: 'invoice', recordId: `record_${nth}` }
      : { resource: 'invoice', permission: `permission_${nth}` },
  });
}

import { anActivity } from '@annals/testkit';

/** The person of whom fields are redacted, the one who is anonymized, the one who gets a pseudonym, and another. */
export const persons = ['user_redacted', 'user_anonymized', 'user_pseudonym', 'user_kept'] as const;

/** What is written in more than one way somewhere: texts and numbers on which implementations differ. */
const oddities: readonly { readonly [key: string]: unknown }[] = [
  { zero: -0, small: 1e-7, large: 2 ** 53 - 1, half: 123456789.5, tenth: 0.1, third: 1 / 3, least: 5e-324 },
  { '10': 1, '9': 2, '': 3, a: 4, B: 5, '\u{1f602}': 6, '\ufb33': 7, '\u00e9': 8, 'e\u0301': 9 },
  {
    text: 'quote " back \\ slash / del \u007f line \u2028 tab \t bell \u0007 end',
    list: [[], {}, [null, true, false]],
  },
  { nested: { b: [{ z: 1, a: { '2': 'x', '1': 'y' } }], a: '\u{10ffff}' }, constructor: 'c', toString: 't' },
];

/** Activities by number, with a value in every field; every sixth expires. */
export function activities(first: number, count: number): object[] {
  return Array.from({ length: count }, (_, at) => activity(first + at));
}

function activity(nth: number): object {
  const person = persons[nth % persons.length] ?? '';
  const pick = <T>(values: readonly T[]) => values[nth % values.length] as T;
  const expires = nth % 6 === 5;
  return anActivity({
    occurredAt: new Date(Date.parse(`${expires ? '2025-01' : '2026-05'}-10T10:00:00.000Z`) + nth * 61_001),
    action: expires ? 'session.ended' : pick(['invoice.voided', 'order.sent']),
    kind: 'data_access',
    operation: pick(['create', 'read', 'update', 'delete'] as const),
    actor: { type: 'user', id: person, label: `Label of ${person}` },
    subject: { id: pick(persons.slice(1)) },
    target: { type: 'invoice', id: `target_${nth}`, label: pick(['', 'Ünïcødé \u{1f600}', '\ufeffmark']) },
    message: `message ${nth} about ${person}`,
    ...(nth % 3 === 0 && {
      scopeId: `scope_${nth}`,
      channel: 'web',
      source: 'billing',
      reason: `reason ${nth}`,
    }),
    context: nth % 2 === 0 ? { ip: '203.0.113.7', userAgent: `Agent/${nth}` } : { requestId: `req_${nth}` },
    tags: nth % 4 === 3 ? [] : ['a', `tag_${nth}`, person],
    metadata: { n: nth, user: { email: `${person}@example.com`, plan: 'pro' }, ...pick(oddities) },
    details: { resource: 'invoice', permission: `permission_${nth}` },
  });
}

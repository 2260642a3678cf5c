import type { ActivityInput } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import type { TenantModel } from './world.ts';

export const persons = ['usr_alpha', 'usr_bravo', 'usr_charlie'] as const;
const labels = ['Alpha Quux', 'Bravo Quux', 'Charlie Quux'];

/**
 * Activities of three persons who occur in free text and JSON too: of a month in which all can expire, of one in
 * which some stay, and of now.
 */
export function makeActivities(
  tenant: TenantModel,
  { count, now }: { count: number; now: Date },
): ActivityInput[] {
  const months = [0, 1].map((month) => Date.UTC(2025, 2 * tenant.nth + month, 3));
  return Array.from({ length: count }, () => {
    const n = tenant.made++;
    const startMs = [...months, now.getTime() - 600_000][n % 3] ?? 0;
    const kept = n % 3 > 0 && n % 4 === 0;
    const person = persons[n % 7 === 0 ? 0 : n % 5 === 0 ? 1 : 2];
    return anActivity({
      occurredAt: new Date(startMs + n),
      action: kept ? 'contract.signed' : 'invoice.voided',
      actor: { type: 'user' as const, id: person, label: labels[persons.indexOf(person)] ?? '' },
      message: n % 11 === 0 ? `asked by ${persons[n % 3]}` : 'nothing personal',
      tags: n % 13 === 0 ? [person, 'paid'] : ['paid'],
      metadata: {
        n,
        ...(n % 6 === 0 ? { approver: { id: persons[(n + 1) % 3] ?? '' } } : {}),
        email: `${n}@example.com`,
      },
      ...(n % 4 === 0 && {
        kind: 'system' as const,
        details: { component: 'billing', errorMessage: `by ${person}`, affected: [person, 'nobody'] },
      }),
    });
  });
}

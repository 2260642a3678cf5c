import type { ActivityInput, LogItem } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Context } from '../context.ts';
import { appendActivities } from './append.ts';

/** For tests: an activity with nothing that may be left out. */
export const minimal = { action: 'user_login', actor: { type: 'user' } } as const;

/** For tests: an activity with every field, and text that each layer on the way gives a meaning to. */
export const full = {
  ...anActivity(),
  scopeId: 'brand-1',
  kind: 'auth',
  operation: 'update',
  severity: 'critical',
  outcome: 'denied',
  visibility: 'client',
  subject: { id: 'person-1' },
  channel: 'web',
  source: 'shop',
  reason: 'because "it"\n\\ was',
  context: {
    ip: '2001:DB8::1',
    userAgent: 'Mozilla',
    requestId: 'r',
    sessionId: 's',
    traceId: 't',
    spanId: 'p',
  },
  tags: ['plain', 'with "quotes"', 'back\\slash', '{brace,comma}', 'NULL', 'ünï 😀'],
  metadata: { plan: 'pro', deep: { list: [1, 0.1, 1e-7, -0, null, true, 'x"\\\n\u0001'] }, '': {} },
  details: { method: 'password', mfa: false },
} satisfies ActivityInput;

/** For tests: hand in one activity. */
export async function appendOne(ctx: Context, activity: unknown): Promise<LogItem> {
  const { results } = await appendActivities({ ctx, input: { activities: [activity] } });
  return results[0] as LogItem;
}

/** For tests: append activities that must all be new; returns their ids. */
export async function storeAll(ctx: Context, activities: readonly unknown[]): Promise<string[]> {
  const { results } = await appendActivities({ ctx, input: { activities } });
  return results.map((item) => {
    expect(item).toMatchObject({ status: 'stored' });
    return (item as Extract<LogItem, { status: 'stored' }>).id;
  });
}

/** For tests: the rows of the tenant in a table. */
export function countRows(ctx: Context, table: 'activity' | 'batch'): Promise<number> {
  return ctx.db.transaction(ctx.tenantId, async (tx) => {
    const statement = sql<{
      count: number;
    }>`select count(*)::int as count from ${sql.table(`annals.${table}`)}`;
    return (await tx.query(statement))[0]?.count ?? -1;
  });
}

import { Filter, type FilterInput, type Page } from '@annals/contract';
import type { RawBuilder } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { checkRollups } from '../rollup/check-rollups.ts';
import { rollupFollower } from '../rollup/count-batches.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { appendActivities } from './append.ts';
import { listActivities } from './list.ts';
import { loadLarge } from './testing-large.ts';

const tenantId = 'counted';

let core: TestCore;
let admin: Client;
beforeAll(async () => {
  core = await openTestCore();
  admin = new Client({ connectionString: core.url });
  await admin.connect();
  await loadLarge(admin, { tenants: [tenantId], records: 12_000, stepMs: 100_000 });
  // As if all of it had been counted from the log.
  await admin.query(
    `insert into annals.follower (tenant_id, name, epoch, next_index, moved_at) values ($1, $2, 1, 1, now())`,
    [tenantId, rollupFollower.name],
  );
  const ctx = core.context({ tenantId });
  for (let from: string | undefined = '2026-01-01'; from !== undefined; ) {
    ({ next: from } = await checkRollups({ ctx, input: { from, repair: true } }));
  }
});
afterAll(async () => {
  await admin.end();
  await core.close();
});

async function idsOf(condition: string): Promise<string[]> {
  const { rows } = await admin.query<{ id: string }>(
    `select id from annals.activity where tenant_id = '${tenantId}' and ${condition} order by occurred_at desc, id desc`,
  );
  return rows.map(({ id }) => id);
}

/** Page by page, in the order asked for. */
async function walkAll(ctx: Context, filter: FilterInput, order: 'newest' | 'oldest'): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const input = { order, limit: 7, cursor, filter: Filter.parse(filter) };
    const page: Page = await listActivities({ ctx, input });
    found.push(...page.activities.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

/** A context, and how many steps its walks have made through records, whatever they are, after the first. */
function counting(): { ctx: Context; steps: () => number } {
  const ctx = core.context({ tenantId });
  let steps = 0;
  const transaction: typeof ctx.db.transaction = (tenant, work, options) =>
    ctx.db.transaction(
      tenant,
      (tx) => {
        const query = <Row>(statement: RawBuilder<Row>) => {
          const { sql, parameters } = statement.compile(tx.em.getKysely());
          if (sql.includes('as scanned') && parameters.includes(8_000)) steps += 1;
          return tx.query(statement);
        };
        return work({ ...tx, query });
      },
      options,
    );
  return { ctx: { ...ctx, db: { ...ctx.db, transaction } }, steps: () => steps };
}

const rare: [FilterInput, string][] = [
  [{ kind: 'auth' }, `kind = 'auth'`],
  [{ operation: 'delete' }, `operation = 'delete'`],
  [{ visibility: 'client' }, `visibility = 'client'`],
  [{ actorType: 'anonymous' }, `actor_type = 'anonymous'`],
  [{ targetType: 'key' }, `target_type = 'key'`],
  [{ channel: 'cli' }, `channel = 'cli'`],
  [{ channel: 'fax' }, 'false'],
  [{ channel: { none: ['web'] } }, `channel is distinct from 'web'`],
  [
    { scope: ['brand-0', 'brand-87'], channel: 'cli' },
    `scope_id in ('brand-0', 'brand-87') and channel = 'cli'`,
  ],
  [{ channel: 'cli', text: 'number 10006' }, `channel = 'cli' and message like '%number 10006%'`],
  [
    { channel: 'cli', from: '2026-01-02T00:07:00Z', to: '2026-01-13T05:00:00Z' },
    `channel = 'cli' and occurred_at >= '2026-01-02T00:07:00Z' and occurred_at < '2026-01-13T05:00:00Z'`,
  ],
];

test.each(rare)('%j is found by the counts, without a look at all records', async (filter, condition) => {
  const expected = await idsOf(condition);
  for (const order of ['newest', 'oldest'] as const) {
    const { ctx, steps } = counting();
    const input = { order, limit: 50, filter: Filter.parse(filter) };
    const { activities } = await listActivities({ ctx, input });
    const all = order === 'newest' ? expected : expected.toReversed();
    expect(activities.map(({ id }) => id)).toEqual(all.slice(0, 50));
    expect(steps()).toBe(0);
    expect(await walkAll(ctx, filter, order)).toEqual(all);
  }
});

test.each<[FilterInput, string]>([
  [{ channel: 'web' }, `channel = 'web'`],
  [{ scope: 'brand-87' }, `scope_id = 'brand-87'`],
  [{ actor: 'usr_50', visibility: 'internal' }, `actor_id = 'usr_50' and visibility = 'internal'`],
  [
    { has: { all: ['scope'], none: ['subject'] }, kind: 'auth' },
    `scope_id is not null and subject_id is null and kind = 'auth'`,
  ],
])('%j is found as without the counts', async (filter, condition) => {
  const expected = (await idsOf(condition)).slice(0, 300);
  const { activities } = await listActivities({
    ctx: core.context({ tenantId }),
    input: { order: 'newest', limit: 300, filter: Filter.parse(filter) },
  });
  expect(activities.map(({ id }) => id)).toEqual(expected);
});

test('what is not counted yet is found where it occurred', async () => {
  const ctx = core.context({ tenantId });
  const occurredAt = new Date('2026-01-05T10:11:12.131Z');
  const late = { action: 'late.come', actor: { type: 'user' }, channel: 'fax', occurredAt };
  const { results } = await appendActivities({ ctx, input: { activities: [late] } });
  const { ctx: counted, steps } = counting();
  for (const order of ['newest', 'oldest'] as const) {
    expect(await walkAll(counted, { channel: 'fax' }, order)).toEqual(
      results.map((item) => 'id' in item && item.id),
    );
  }
  expect(steps()).toBe(0);
});

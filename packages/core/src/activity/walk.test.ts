import { Filter, type FilterInput, type ListInput, limits, type Page } from '@annals/contract';
import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import { Client, escapeLiteral } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { exportActivities } from './export.ts';
import { listActivities } from './list.ts';
import { loadLarge } from './testing-large.ts';

const tenantId = 'large';

let core: TestCore;
let admin: Client;
beforeAll(async () => {
  core = await openTestCore();
  admin = new Client({ connectionString: core.url });
  await admin.connect();
  await loadLarge(admin, { tenants: [tenantId, 'other'], records: 20_000, stepMs: 800_000 });
});
afterAll(async () => {
  await admin.end();
  await core.close();
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'One-Time Filter'?: string;
  readonly Plans?: readonly PlanNode[];
}

interface Explained {
  readonly 'QUERY PLAN': readonly { readonly Plan: PlanNode }[];
}

/** The context, and the nodes of the plans of all statements on activities that it runs. */
function explained(): { ctx: Context; nodes: PlanNode[] } {
  const nodes: PlanNode[] = [];
  const ctx = core.context({ tenantId });
  const collect = (node: PlanNode) => {
    // Of a time that no partition has.
    if (node.Plans?.every((child) => child['One-Time Filter'] === 'false')) return;
    nodes.push(node);
    for (const child of node.Plans ?? []) collect(child);
  };
  const transaction: typeof ctx.db.transaction = (tenant, work, options) =>
    ctx.db.transaction(
      tenant,
      (tx) => {
        const explain = async (statement: RawBuilder<unknown>) => {
          const rows = options?.prepared
            ? await explainForAll(statement.compile(tx.em.getKysely()).sql)
            : await tx.query(sql<Explained>`explain (format json) ${statement}`);
          for (const row of rows) for (const { Plan } of row['QUERY PLAN']) collect(Plan);
        };
        return work({
          ...tx,
          query: async (statement) => {
            await explain(statement);
            return tx.query(statement);
          },
          stream: async function* (statement, rowsAtOnce) {
            await explain(statement);
            yield* tx.stream(statement, rowsAtOnce);
          },
        });
      },
      options,
    );
  return { ctx: { ...ctx, db: { ...ctx.db, transaction } }, nodes };
}

/** The plan of a prepared statement, as the transaction has it planned; of a connection that sends no parameters. */
async function explainForAll(text: string): Promise<Explained[]> {
  const results =
    await admin.query(`begin; set local role annals_app; set local annals.tenant_id = '${tenantId}';
    set local enable_sort = off; set local enable_incremental_sort = off; set local enable_seqscan = off;
    explain (generic_plan, format json) ${text}; rollback`);
  return (results as unknown as readonly { rows: Explained[] }[]).flatMap(({ rows }) => rows);
}

function partitionsOf(nodes: readonly PlanNode[]): Set<string> {
  return new Set(nodes.flatMap((node) => node['Relation Name'] ?? []));
}

function list(ctx: Context, filter: FilterInput, input: Partial<ListInput> = {}) {
  return listActivities({
    ctx,
    input: { order: 'newest', limit: 50, ...input, filter: Filter.parse(filter) },
  });
}

const single: FilterInput[] = [
  {},
  { from: '2026-02-03T00:00:00Z', to: '2026-03-05T00:00:00Z' },
  { actor: 'usr_50' },
  { actor: 'nobody' },
  { actor: ['usr_1', 'usr_50', 'nobody'] },
  { target: 'order_7' },
  { target: ['order_1', 'order_2', 'order_2999'] },
  { subject: 'person_0' },
  { action: 'order.paid' },
  { action: 'seldom.done' },
  { action: 'order.*' },
  { action: ['seldom.*', 'order.paid'] },
  { action: 'none.*' },
  { severity: 'critical' },
  { severity: 'info' },
  { severityAtLeast: 'error' },
  { severityAtLeast: 'warning' },
  { outcome: 'denied' },
  { outcome: ['failure', 'denied'] },
  { outcome: 'success' },
  { kind: 'auth' },
  { operation: 'delete' },
  { visibility: 'client' },
  { actorType: 'anonymous' },
  { targetType: 'key' },
  { channel: 'cli' },
  { channel: 'none' },
  { scope: 'brand-3' },
  { tag: 'rare' },
  { requestId: 'req_100' },
  { metadata: { number: 100 } },
  { has: 'subject' },
  { text: 'number 12345' },
];

const pairs: FilterInput[] = [
  { actor: 'usr_50', action: 'order.paid' },
  { actor: 'usr_50', outcome: 'failure' },
  { actor: ['usr_1', 'usr_50'], target: 'order_7' },
  { actor: 'usr_50', from: '2026-02-03T00:00:00Z', to: '2026-03-05T00:00:00Z' },
  { target: 'order_7', action: 'order.*' },
  { target: 'order_7', severityAtLeast: 'error' },
  { action: 'order.paid', outcome: ['failure', 'denied'] },
  { action: 'order.*', channel: 'cli' },
  { severityAtLeast: 'error', outcome: 'failure' },
  { targetType: 'key', kind: 'auth' },
  { scope: 'brand-3', severity: 'info' },
  { actor: 'usr_50', text: 'message' },
  { subject: 'person_0', tag: 'usual' },
];

describe.each(['newest', 'oldest'] as const)('the %s of', (order) => {
  test.each([...single, ...pairs])(
    '%j are found in the order of an index: nothing is sorted or read as a whole',
    async (filter) => {
      const { ctx, nodes } = explained();
      const first = await list(ctx, filter, { order });
      if (first.next !== undefined) {
        const second = await list(ctx, filter, { order, cursor: first.next });
        await list(ctx, filter, { order, cursor: second.previous });
      }
      const types = new Set(nodes.map((node) => node['Node Type']));
      for (const bad of ['Sort', 'Incremental Sort', 'Seq Scan', 'Gather', 'Gather Merge']) {
        expect([...types]).not.toContain(bad);
      }
    },
  );
});

test.each<FilterInput>([{ action: 'order.*' }, { channel: 'web' }, { actor: ['usr_1', 'usr_98', 'usr_99'] }])(
  'a page of %j, which is planned each time, is so for the partitions that it is in alone',
  async (filter) => {
    const { ctx, nodes } = explained();
    const { next } = await list(ctx, filter);
    await list(ctx, filter, { cursor: next });
    expect(partitionsOf(nodes).size).toBeLessThanOrEqual(3);
  },
);

interface Ran {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Loops'?: number;
  readonly Plans?: readonly Ran[];
}

/** The partitions that a kept plan reads for these values; the others it leaves out when it begins. */
async function partitionsRead(statement: CompiledQuery): Promise<string[]> {
  const values = statement.parameters.map((value) => escapeLiteral(String(value))).join();
  await admin.query(`begin; set local role annals_app; set local annals.tenant_id = '${tenantId}';
    set local enable_sort = off; set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan`);
  try {
    await admin.query(`prepare page as ${statement.sql}`);
    const { rows } = await admin.query<{ 'QUERY PLAN': { Plan: Ran }[] }>(
      `explain (analyze, format json) execute page (${values})`,
    );
    const read: string[] = [];
    const collect = (node: Ran) => {
      if (node['Relation Name'] && node['Actual Loops'] !== 0) read.push(node['Relation Name']);
      for (const child of node.Plans ?? []) collect(child);
    };
    for (const { Plan } of rows[0]?.['QUERY PLAN'] ?? []) collect(Plan);
    return read;
  } finally {
    await admin.query('rollback; deallocate all');
  }
}

test.each<FilterInput>([{}, { severityAtLeast: 'error' }, { action: 'order.paid' }])(
  'a page of %j, whose plan is kept, reads no partition but those on the way from its cursor',
  async (filter) => {
    const asked: { readonly statement: CompiledQuery; readonly prepared: boolean }[] = [];
    const own = core.context({ tenantId });
    const transaction: typeof own.db.transaction = (tenant, work, options) => {
      const watch = (tx: Tx): Tx => ({
        ...tx,
        query: (statement) => {
          asked.push({
            statement: statement.compile(tx.em.getKysely()),
            prepared: options?.prepared ?? false,
          });
          return tx.query(statement);
        },
      });
      return own.db.transaction(tenant, (tx) => work(watch(tx)), options);
    };
    const ctx = { ...own, db: { ...own.db, transaction } };
    const pages = [await list(ctx, filter)];
    pages.push(await list(ctx, filter, { cursor: pages[0]?.next }));
    expect(asked.length).toBeGreaterThan(1);
    for (const { statement, prepared } of asked) {
      expect(prepared).toBe(true);
      expect((await partitionsRead(statement)).length).toBeLessThanOrEqual(3);
    }
  },
);

test('records that are only passed are so in the index alone', async () => {
  const { ctx, nodes } = explained();
  await list(ctx, { actor: 'usr_50', requestId: 'none' });
  expect(nodes.map((node) => node['Node Type'])).toContain('Index Only Scan');
});

/** What a filter selects, by one statement. */
async function idsOf(condition: string): Promise<string[]> {
  const { rows } = await admin.query<{ id: string }>(
    `select id from annals.activity where tenant_id = '${tenantId}' and ${condition} order by occurred_at desc, id desc`,
  );
  return rows.map(({ id }) => id);
}

test.each<[FilterInput, string]>([
  [
    { actor: ['usr_3', 'usr_50'], outcome: 'failure' },
    `actor_id in ('usr_3', 'usr_50') and outcome = 'failure'`,
  ],
  [{ action: ['seldom.*'], kind: 'auth' }, `action = 'seldom.done' and kind = 'auth'`],
  [{ action: { none: ['order.made'] }, channel: 'cli' }, `action <> 'order.made' and channel = 'cli'`],
  [{ actor: { any: ['usr_50'], none: ['usr_50'] } }, 'false'],
  [{ requestId: ['req_1', 'req_19999'] }, `request_id in ('req_1', 'req_19999')`],
  [
    { tag: 'rare', from: '2026-02-01T00:00:00Z' },
    `tags && '{rare}' and occurred_at >= '2026-02-01T00:00:00Z'`,
  ],
  [
    { severity: ['error', 'critical'], target: 'order_100' },
    `severity >= 'error' and target_id = 'order_100'`,
  ],
  [{ outcome: ['denied', 'success'] }, `outcome in ('denied', 'success')`],
])('%j is walked through to the last record, on as many pages as it takes', async (filter, condition) => {
  const expected = await idsOf(condition);
  for (const order of ['newest', 'oldest'] as const) {
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(core.context({ tenantId }), filter, { order, cursor, limit: 400 });
      found.push(...page.activities.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(found).toEqual(order === 'newest' ? expected : expected.toReversed());
  }
});

test('a search that takes too long answers with what it has, and its cursors go on in both directions', async () => {
  const ctx = { ...core.context({ tenantId }), readTimeoutMs: 1e9 };
  const filter = { requestId: ['req_1', 'req_19999'] };
  const expected = await idsOf(`request_id in ('req_1', 'req_19999')`);
  // As if the time were over after each step.
  let nowMs = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += limits.pageSearchMsMax));
  try {
    const pages = [await list(ctx, filter)];
    for (let cursor = pages[0]?.next; cursor !== undefined; cursor = pages.at(-1)?.next) {
      pages.push(await list(ctx, filter, { cursor }));
    }
    expect(pages.length).toBeGreaterThan(2);
    // Each says up to when it has looked, but the one that has come to the end.
    expect(pages.at(-1)?.searchedTo).toBeUndefined();
    const searched = pages.slice(0, -1).map(({ searchedTo }) => searchedTo?.getTime() ?? Number.NaN);
    expect(searched).toEqual(searched.toSorted((a, b) => b - a));
    expect(pages.flatMap(({ activities }) => activities.map(({ id }) => id))).toEqual(expected);
    const back: string[] = [];
    for (let cursor = pages.at(-1)?.previous; cursor !== undefined; ) {
      const page: Page = await list(ctx, filter, { cursor });
      back.unshift(...page.activities.map(({ id }) => id));
      cursor = page.previous;
    }
    const last = pages.at(-1)?.activities.length ?? 0;
    expect(back).toEqual(expected.slice(0, expected.length - last));
  } finally {
    clock.mockRestore();
  }
});

test('a page ends once it holds as much as it may, in both directions, and loses nothing', async () => {
  const ctx = core.context();
  await admin.query(
    `insert into annals.activity (tenant_id, occurred_at, id, batch_id, position, recorded_at, action, kind, severity,
      outcome, visibility, actor_type, tags, metadata, own)
    select $1, timestamptz '2026-03-01' + n * interval '1 ms',
      encode(substring(int8send((extract(epoch from timestamptz '2026-03-01') * 1000)::bigint + n) from 3)
        || '\\x70008000000000000000'::bytea, 'hex')::uuid,
      gen_random_uuid(), 0, now(), 'x', 'activity', 'info', 'success', 'internal', 'user', '{}',
      jsonb_build_object('text', repeat('x', 60 * 1024)), false
    from generate_series(0, 299) as n`,
    [ctx.tenantId],
  );
  const most = Math.ceil(limits.pageBytesMax / (60 * 1024));
  for (const read of [listActivities, exportActivities]) {
    const page = (cursor?: string) =>
      read({ ctx, input: { order: 'oldest', limit: 300, cursor, filter: Filter.parse({ action: 'x' }) } });
    const pages = [await page()];
    for (let { next } = pages[0] ?? {}; next !== undefined; { next } = pages.at(-1) ?? {})
      pages.push(await page(next));
    const counts = pages.map(({ activities }) => activities.length);
    for (const count of counts) expect(count).toBeLessThanOrEqual(most);
    expect(counts.reduce((sum, count) => sum + count)).toBe(300);
    const ids = pages.flatMap(({ activities }) => activities.map(({ id }) => id));
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(300);
    const back = await page(pages.at(-1)?.previous);
    expect(back.activities.length).toBeLessThanOrEqual(most);
    expect(back.activities.map(({ id }) => id)).toEqual(
      ids.slice(300 - (counts.at(-1) ?? 0) - back.activities.length, 300 - (counts.at(-1) ?? 0)),
    );
    expect(back.previous).toBeDefined();
  }
});

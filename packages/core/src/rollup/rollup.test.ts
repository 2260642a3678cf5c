import { Filter, filterFields } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countActivities, countFound } from '../activity/count.ts';
import { facetActivities } from '../activity/facets.ts';
import { listActivities } from '../activity/list.ts';
import { statsActivities } from '../activity/stats.ts';
import { summarizeActor } from '../activity/summary.ts';
import { storeAll } from '../activity/testing.ts';
import type { Context, Services } from '../context.ts';
import { holdCommits } from '../database/testing.ts';
import { anonymize, personOf, purge, redact } from '../hold/testing.ts';
import { seed } from '../job/testing.ts';
import { followLog } from '../log/follow-log.ts';
import { setPolicies } from '../retention/set-policies.ts';
import { openTestPair, sequenceAll, type TestCore, type TestPair } from '../testing.ts';
import { checkRollups } from './check-rollups.ts';
import { rollupFollower } from './count-batches.ts';
import { countByScan } from './count-by-scan.ts';
import type { CountRequest } from './count-request.ts';
import { countedDimensions } from './cubes.ts';
import { countAll, countBothWays, expectExact, followAll } from './testing.ts';
import { topByScan } from './top-by-scan.ts';

let pair: TestPair;
let core: TestCore;
let other: Services;
let admin: Client;
beforeAll(async () => {
  pair = await openTestPair();
  ({ core, other, admin } = pair);
});
afterAll(() => pair.close());

const plain = { groupBy: [], timeZone: 'UTC', limit: 1_000 };

function stats(ctx: Context, input: { query?: string; groupBy?: CountRequest['groupBy'] } = {}) {
  return statsActivities({ ctx, input: { ...plain, ...input, groupBy: [...(input.groupBy ?? [])] } });
}

function by(id: string, rest: object = {}) {
  return anActivity({ actor: { type: 'user', id }, ...rest });
}

/** As many scopes, and so as many combinations. */
function inScopes(count: number, occurredAt: Date) {
  return Array.from({ length: count }, (_, at) => anActivity({ scopeId: `s${at}`, occurredAt }));
}

/** How many of this database's transactions wait for a lock. */
async function waiting(): Promise<number | null> {
  const { rowCount } = await admin.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount;
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 15, 12, 0, second));

/** A tenant with five activities, a second apart. */
async function five(): Promise<Context> {
  const ctx = core.context();
  await storeAll(
    ctx,
    [0, 1, 2, 3, 4].map((second) =>
      by('ada', { occurredAt: at(second), action: second < 2 ? 'old' : 'new', tags: ['t'] }),
    ),
  );
  return ctx;
}

/** By action, of a tag that no cube counts by. */
function tagged({ tenantId }: Context): CountRequest {
  return {
    filter: Filter.parse({ tag: 't' }),
    sight: { tenantId, personal: true },
    groupBy: ['action'],
    limit: 10,
  };
}

/** All that the rollups of a tenant hold, as text. */
async function stored({ tenantId }: Context): Promise<string> {
  const { rows } = await admin.query<{ text: string }>(
    `select r::text || c::text as text from annals.rollup r full join annals.rollup_cell c
      on c.tenant_id = r.tenant_id and c.id = r.cell where coalesce(r.tenant_id, c.tenant_id) = $1`,
    [tenantId],
  );
  return rows.map(({ text }) => text).join('\n');
}

describe('counting', () => {
  test('by two processes at once takes each batch once', async () => {
    const ctx = core.context();
    for (let batch = 0; batch < 20; batch += 1) await storeAll(ctx, [by('ada'), by('bob')]);
    await sequenceAll(core, ctx.tenantId);
    const small = { ...rollupFollower, activitiesMax: 3 };
    const follow = async (services: Services) => {
      for (let taken = 1, idle = 0; idle < 3; idle = taken > 0 ? 0 : idle + 1) {
        taken = await followLog(services, { tenantId: ctx.tenantId, follower: small });
      }
    };
    await Promise.all([follow(core.services), follow(other)]);
    expect(await followAll(core.services, ctx.tenantId)).toBe(0);
    expect(await countBothWays(ctx, { ...plain, filter: {} })).toEqual([{ from_ms: null, count: 40 }]);
    await expectExact(ctx);
  });

  test('answers before, while and after it counts are the same', async () => {
    const ctx = core.context();
    const rows = [
      { group: { actorType: 'user' }, count: 2 },
      { group: { actorType: 'system' }, count: 1 },
    ];
    const ask = async () =>
      expect(await stats(ctx, { groupBy: ['actorType'] })).toEqual({ rows, truncated: false });
    await storeAll(ctx, [by('ada')]);
    await countAll(core, ctx.tenantId);
    await storeAll(ctx, [by('ada'), anActivity({ actor: { type: 'system' } })]);
    await ask();
    await sequenceAll(core, ctx.tenantId);
    await ask();
    await followAll(core.services, ctx.tenantId);
    await ask();
  });

  test('a day with too many combinations keeps its single counts, and is read where these do not tell', async () => {
    const ctx = core.context();
    await seed(ctx, inScopes(1_000, new Date('2026-01-15T12:00:00Z')));
    await seed(ctx, inScopes(10, new Date('2026-01-16T12:00:00Z')));
    await seed(ctx, inScopes(2_001, new Date('2026-01-17T12:00:00Z')));
    await countAll(core, ctx.tenantId);
    await seed(ctx, inScopes(2_001, new Date('2026-01-15T12:00:00Z')));
    await countAll(core, ctx.tenantId);
    const closed = await admin.query(
      `select day::text from annals.rollup where tenant_id = $1 and cube = 'all' and cell = 0 order by day`,
      [ctx.tenantId],
    );
    expect(closed.rows).toEqual([{ day: '2026-01-15' }, { day: '2026-01-17' }]);
    await seed(ctx, inScopes(3, new Date('2026-01-15T13:00:00Z')));
    await countAll(core, ctx.tenantId);
    const filter = Filter.parse({ action: 'invoice.voided' });
    const ask = { ...plain, filter, groupBy: ['scope' as const], interval: 'hour' as const };
    expect(await countBothWays(ctx, ask)).toHaveLength(1_000);
    expect(await countBothWays(ctx, { ...ask, groupBy: ['outcome'] })).toMatchObject([
      { count: 3_001 },
      { count: 3 },
      { count: 10 },
      { count: 2_001 },
    ]);
    await expectExact(ctx);
  });
});

describe('what is erased or purged', () => {
  test('leaves no id of a person in the counts, which stay those of the activities', async () => {
    const ctx = core.context();
    await storeAll(ctx, [
      by('ada', { scopeId: 'scope of ada', channel: 'ada-web' }),
      by('bob', { scopeId: 'ada', target: { type: 'user', id: 'ada' } }),
      by('bob'),
    ]);
    await countAll(core, ctx.tenantId);
    expect(await stored(ctx)).toMatch(/ada/);
    await anonymize(ctx, personOf('ada'));
    expect(await stored(ctx)).not.toMatch(/ada/);
    await expectExact(ctx);
    expect((await stats(ctx, { groupBy: ['scope'], query: '-action:erasure.*' })).rows).toEqual([
      { group: { scope: null }, count: 3 },
    ]);
  });

  test('while it is counted waits for that, and is taken out of what was counted', async () => {
    const ctx = core.context();
    await storeAll(ctx, [by('ada', { channel: 'ada-web' }), by('bob')]);
    await sequenceAll(core, ctx.tenantId);
    const held = holdCommits(core.services.db);
    const counting = followLog({ db: held.db }, { tenantId: ctx.tenantId, follower: rollupFollower });
    await held.reached;
    const redacting = redact(ctx, { query: 'actor:ada', fields: ['channel'] });
    await expect.poll(waiting, { timeout: 10_000 }).toBeGreaterThan(0);
    held.commit();
    await Promise.all([counting, redacting]);
    expect(await stored(ctx)).not.toMatch(/ada/);
    await expectExact(ctx);
  });

  test('before it is counted is never counted', async () => {
    const ctx = core.context();
    await storeAll(ctx, [by('ada', { channel: 'ada-web' }), by('bob')]);
    await sequenceAll(core, ctx.tenantId);
    await redact(ctx, { query: 'actor:ada', fields: ['channel'] });
    await countAll(core, ctx.tenantId);
    expect(await stored(ctx)).not.toMatch(/ada/);
    await expectExact(ctx);
  });

  test('goes with a month that is dropped whole', async () => {
    // A month that no other tenant of this database has.
    const ctx = core.context();
    await storeAll(ctx, [
      by('old', { scopeId: 'old scope', occurredAt: new Date('2024-02-01T00:00:00Z') }),
      by('old', { occurredAt: new Date('2024-02-29T23:59:59.999Z') }),
      by('new'),
    ]);
    await countAll(core, ctx.tenantId);
    const policies = [{ name: 'a year', keepDays: 365, since: 'occurredAt' as const }];
    await setPolicies({ ctx, input: { policies } });
    const { job } = await purge(ctx);
    expect(job.result).toMatchObject({ changed: 2, partitionsDropped: ['2024-02'] });
    expect(await stored(ctx)).not.toMatch(/old/);
    await expectExact(ctx);
  });
});

describe('a check', () => {
  test('finds counts and values that are not of the activities, and repairs them', async () => {
    const ctx = core.context();
    await storeAll(ctx, [by('ada', { occurredAt: new Date('2026-01-15T12:00:00Z') })]);
    await storeAll(ctx, [by('bob', { occurredAt: new Date('2026-01-16T12:00:00Z') })]);
    await countAll(core, ctx.tenantId);
    await expectExact(ctx);
    await admin.query(
      `update annals.rollup set counts = '{5}' where tenant_id = $1 and cube = 'channel' and day = '2026-01-16'`,
      [ctx.tenantId],
    );
    await admin.query(
      `insert into annals.rollup_cell (tenant_id, id, cube, "values") values ($1, 999, 'channel', '{carl}')`,
      [ctx.tenantId],
    );
    const check = (repair: boolean) => checkRollups({ ctx, input: { from: '1970-01-01', repair } });
    const found = { days: 2, differing: [{ day: '2026-01-16', counts: 1 }], orphans: 1 };
    expect(await check(false)).toEqual(found);
    expect(await check(true)).toEqual(found);
    expect(await check(false)).toEqual({ days: 2, differing: [], orphans: 0 });
    await expectExact(ctx);
  });

  test('builds them from nothing', async () => {
    const ctx = core.context();
    await storeAll(ctx, [by('ada'), by('bob')]);
    await countAll(core, ctx.tenantId);
    const before = await stored(ctx);
    for (const table of ['rollup', 'rollup_cell']) {
      await admin.query(`delete from annals.${table} where tenant_id = $1`, [ctx.tenantId]);
    }
    await checkRollups({ ctx, input: { from: '1970-01-01', repair: true } });
    await expectExact(ctx);
    expect((await stored(ctx)).length).toBe(before.length);
  });
});

describe('a scan', () => {
  test('of more than it may look at counts the newest, and says since when', async () => {
    const ctx = await five();
    const bounds = { activitiesMax: 2, timeMs: 10_000, newestMax: 2 };
    const scan = (activitiesMax: number) =>
      ctx.db.transaction(ctx.tenantId, (tx) => countByScan(tx, tagged(ctx), { ...bounds, activitiesMax }));
    expect(await scan(2)).toMatchObject({
      rows: [{ g0: 'new', count: 3 }],
      sinceMs: at(2).getTime(),
    });
    expect(await scan(5)).toEqual({
      rows: [
        expect.objectContaining({ g0: 'new', count: 3 }),
        expect.objectContaining({ g0: 'old', count: 2 }),
      ],
      sinceMs: undefined,
    });
  });

  test('for a number alone is bounded likewise', async () => {
    const ctx = await five();
    const bounds = { activitiesMax: 10, timeMs: 20, newestMax: 2 };
    const slow = sql<boolean>`(tenant_id = ${ctx.tenantId} and (occurred_at > ${at(2).toISOString()}
      or pg_sleep(1) is not null))`;
    const count = (where: typeof slow) =>
      ctx.db.transaction(ctx.tenantId, (tx) => countFound(tx, { where, range: {} }, bounds));
    expect(await count(slow)).toEqual({ count: 2, sinceMs: at(2).getTime() + 1 });
    expect(await count(sql`(tenant_id = ${ctx.tenantId})`)).toEqual({ count: 5 });
  });

  test('that takes too long counts among the newest alone, and the transaction goes on', async () => {
    const ctx = await five();
    const slow = { activitiesMax: 10, timeMs: 20, newestMax: 2 };
    const where = sql<boolean>`tenant_id = ${ctx.tenantId} and (occurred_at > ${at(2).toISOString()}
      or pg_sleep(1) is not null)`;
    const found = await ctx.db.transaction(
      ctx.tenantId,
      async (tx) => {
        const top = await topByScan(
          tx,
          { where: sql`(${where})`, range: {}, fields: ['action', 'tag'], limit: 10 },
          slow,
        );
        const [row] = await tx.query(
          sql<{ timeout: string }>`select current_setting('statement_timeout') as timeout`,
        );
        return { top, timeout: row?.timeout };
      },
      { timeoutMs: 30_000 },
    );
    expect(found.timeout).toBe('30s');
    expect(found.top.sinceMs).toBe(at(2).getTime() + 1);
    expect(found.top.values.get('action')).toEqual([{ value: 'new', count: 2 }]);
    expect(found.top.values.get('tag')).toEqual([{ value: 't', count: 2 }]);
  });
});

test('facets and summaries are the same whether counted or read', async () => {
  const ctx = core.context();
  await storeAll(ctx, [
    by('ada', { channel: 'web', outcome: 'failure', tags: ['x'] }),
    by('ada', { channel: 'app', outcome: 'success' }),
    by('bob', { channel: 'app', outcome: 'failure', action: 'b' }),
  ]);
  const ask = async () => [
    await facetActivities({
      ctx,
      input: {
        fields: ['action', 'actor', 'channel', 'outcome', 'scope', 'target', 'tag', 'source'],
        query: 'outcome:failure',
        limit: 10,
      },
    }),
    await summarizeActor({ ctx, input: { actor: 'ada', limit: 10 } }),
  ];
  const before = await ask();
  await countAll(core, ctx.tenantId);
  expect(await ask()).toEqual(before);
});

function run(statement: string): Promise<unknown[]> {
  return other.db.transaction('t', (tx) => tx.query(sql.raw(statement)));
}

describe('ranges at the ends of time', () => {
  const earliest = '0001-01-01T00:00:00Z';
  const latest = '9999-12-31T23:59:59.999Z';
  test.each([
    [earliest, latest, 3],
    [earliest, undefined, 3],
    [undefined, latest, 3],
    [earliest, '0001-01-01T00:00:00.001Z', 0],
    ['9999-12-31T23:50:00Z', undefined, 0],
    ['9999-11-30T23:50:00Z', latest, 0],
    [undefined, '0099-12-31T23:00:00Z', 0],
    ['0099-12-31T23:00:00Z', '2026-01-15T12:00:01Z', 1],
  ])('from %s to %s are answered like others', async (from, to, count) => {
    const ctx = core.context();
    await storeAll(
      ctx,
      [0, 1, 2].map((second) => by('ada', { occurredAt: at(second), action: 'a.b' })),
    );
    await countAll(core, ctx.tenantId);
    const filter = Filter.parse({ from, to });
    const asked = { ctx, input: { ...plain, filter, groupBy: [] } };
    expect((await statsActivities(asked)).rows).toEqual([{ group: {}, count }]);
    for (const interval of ['hour', 'month'] as const) {
      const { rows } = await statsActivities({
        ctx,
        input: { ...asked.input, interval, timeZone: 'Asia/Tokyo' },
      });
      expect(rows.map((row) => row.count)).toEqual(count > 0 ? [count] : []);
    }
    const facets = await facetActivities({ ctx, input: { filter, fields: ['action', 'actor'], limit: 5 } });
    expect(facets.facets.map(({ values }) => values.length)).toEqual(count > 0 ? [1, 1] : [0, 0]);
    const summary = await summarizeActor({ ctx, input: { actor: 'ada', filter, limit: 5 } });
    expect(summary.total).toBe(count);
    for (const some of [filter, { ...filter, actor: { any: ['ada'] } }]) {
      expect(await countActivities({ ctx, input: { filter: some } })).toEqual({ count, capped: false });
    }
    for (const order of ['newest', 'oldest'] as const) {
      const some = Filter.parse({ from, to, action: 'a.*', has: 'actor' });
      const page = await listActivities({ ctx, input: { filter: some, order, limit: 10 } });
      expect(page.activities).toHaveLength(count);
    }
  });
});

describe('without personal:read', () => {
  test('the counts hold nothing that is kept back: no personal field is counted by', () => {
    for (const name of countedDimensions) expect(filterFields[name].personal, name).toBe(false);
  });

  test('a key is told the same counts as any other, and none by what it may not filter by', async () => {
    const ctx = core.context();
    await storeAll(ctx, [
      by('ada', { channel: 'web' }),
      by('ben', { channel: 'web', subject: { id: 'eve' } }),
    ]);
    await countAll(core, ctx.tenantId);
    const kept = core.context({ tenantId: ctx.tenantId, principal: { scopes: ['stats:read'] } });
    const grouped = { groupBy: ['channel' as const] };
    expect(await stats(kept, grouped)).toEqual(await stats(ctx, grouped));
    expect((await stats(kept, grouped)).rows).toEqual([{ group: { channel: 'web' }, count: 2 }]);
    await expect(stats(kept, { query: 'subject:eve' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(stats(kept, { query: 'has:subject' })).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('roles', () => {
  test.each(['rollup', 'rollup_cell', 'follower'])('the app may read %s and not write it', async (table) => {
    expect(await run(`select from annals.${table}`)).toEqual([]);
    await expect(run(`delete from annals.${table}`)).rejects.toThrow(/permission denied/);
    await expect(run(`update annals.${table} set tenant_id = 't'`)).rejects.toThrow(/permission denied/);
  });

  test("nobody sees another tenant's counts", async () => {
    const ctx = core.context();
    await storeAll(ctx, [by('ada')]);
    await countAll(core, ctx.tenantId);
    for (const role of ['app', 'custodian'] as const) {
      const read = (tenantId: string) =>
        other.db.transaction(tenantId, (tx) => tx.query(sql`select from annals.rollup_cell`), { role });
      expect((await read(ctx.tenantId)).length).toBeGreaterThan(0);
      expect(await read(core.context().tenantId)).toEqual([]);
    }
  });
});

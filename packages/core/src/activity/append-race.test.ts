import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { holdCommits } from '../database/testing.ts';
import { lookAt } from '../retention/look-at.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { appendActivities } from './append.ts';
import { storeAll } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

/** One of a few ids, in one of three months, with one of two contents: so that calls meet each other. */
const pick = fc.record({
  id: fc.nat({ max: 7 }),
  content: fc.nat({ max: 1 }),
  valid: fc.integer({ max: 9 }),
});
type Pick = typeof pick extends fc.Arbitrary<infer Value> ? Value : never;
const call = fc.array(pick, { minLength: 1, maxLength: 5 });

const months = ['2026-04-30T23:59:59.999Z', '2026-05-01T00:00:00.000Z', '2026-06-02T00:00:00.000Z'];
const ids = Array.from({ length: 8 }, (_, at) => {
  const { id, occurredAt } = anActivity({ occurredAt: new Date(months[at % 3] as string) });
  return { id, occurredAt };
});

function toInput({ id, content, valid }: Pick) {
  return { ...ids[id], action: valid === 0 ? 'NOT VALID' : `content_${content}`, actor: { type: 'user' } };
}

async function append(ctx: Context, picks: readonly Pick[]) {
  const { results } = await appendActivities({ ctx, input: { activities: picks.map(toInput) } });
  return results.map((item) => (item.status === 'refused' ? item.code : item.status));
}

/** What the definition says: the first of an id is stored, one like it a duplicate, another a conflict. */
function expected(stored: Map<number, number>, picks: readonly Pick[]): string[] {
  return picks.map(({ id, content, valid }) => {
    if (valid === 0) return 'invalid_input';
    const there = stored.get(id);
    if (there === undefined) stored.set(id, content);
    return there === undefined ? 'stored' : there === content ? 'duplicate' : 'id_conflict';
  });
}

interface Row {
  readonly id: string;
  readonly action: string;
}

function storedRows(ctx: Context): Promise<Row[]> {
  return ctx.db.transaction(ctx.tenantId, (tx) => tx.query(sql<Row>`select id, action from annals.activity`));
}

/** Batches whose activities are not those at positions 0 to size - 1. */
function brokenBatches(ctx: Context): Promise<unknown[]> {
  return ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.query(sql`
      select b.id from annals.batch b left join annals.activity a on a.tenant_id = b.tenant_id and a.batch_id = b.id
      group by b.tenant_id, b.id, b.size, b.leaves
      having array_agg(a.position order by a.id)
          <> array(select n from generate_series(0, b.size - 1) as n)
        or octet_length(b.leaves) <> 32 * b.size`),
  );
}

test('calls one after the other get the answers that the definition gives, of new ids and of those taken', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 6 }), async (calls) => {
      const ctx = core.context();
      const stored = new Map<number, number>();
      for (const picks of calls) expect(await append(ctx, picks)).toEqual(expected(stored, picks));
      const rows = await storedRows(ctx);
      const shouldBe = [...stored].map(([id, content]) => [ids[id]?.id, `content_${content}`]);
      expect(new Map(rows.map(({ id, action }) => [id, action]))).toEqual(
        new Map(shouldBe as [string, string][]),
      );
      expect(rows.length).toBe(stored.size);
      expect(await brokenBatches(ctx)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test('calls at the same time store each id once, and every other call is told how it compares', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 2, maxLength: 8 }), async (calls) => {
      const ctx = core.context();
      const answers = await Promise.all(calls.map((picks) => append(ctx, picks)));
      const told = calls.flatMap((picks, at) =>
        picks.map((each, item) => ({ ...each, status: answers[at]?.[item] })),
      );
      const rows = new Map((await storedRows(ctx)).map(({ id, action }) => [id, action]));
      for (const [at, { id }] of ids.entries()) {
        const ofId = told.filter((each) => each.id === at && each.valid !== 0);
        const winners = ofId.filter(({ status }) => status === 'stored');
        expect(winners.length).toBe(ofId.length > 0 ? 1 : 0);
        const content = winners[0]?.content;
        expect(rows.get(id)).toBe(content === undefined ? undefined : `content_${content}`);
        for (const other of ofId.filter((each) => each !== winners[0])) {
          expect(other.status).toBe(other.content === content ? 'duplicate' : 'id_conflict');
        }
      }
      expect(await brokenBatches(ctx)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test('a month is not dropped while a record is on its way into it', async () => {
  const ctx = core.context();
  const occurredAt = new Date('2026-01-10T00:00:00Z');
  await storeAll(ctx, [anActivity({ occurredAt })]);
  const { unsequenced: seen } = await ctx.db.transaction(ctx.tenantId, lookAt);
  const held = holdCommits(ctx.db);
  const storing = storeAll({ ...ctx, db: held.db }, [anActivity({ occurredAt })]);
  await held.reached;
  const dropping = ctx.db.transaction(
    ctx.tenantId,
    (tx) =>
      tx.query(
        sql`select annals.drop_activity_partition('activity_202601', ${ctx.tenantId}, seen => ${seen}::uuid[]) as dropped`,
      ),
    { role: 'custodian' },
  );
  await Promise.race([dropping, untilSomebodyWaitsFor('activity')]);
  held.commit();
  await storing;
  expect(await dropping).toEqual([{ dropped: false }]);
  expect((await storedRows(ctx)).length).toBe(2);
});

async function untilSomebodyWaitsFor(table: string): Promise<void> {
  const waiting = sql`select from pg_locks where not granted and relation = ${`annals.${table}`}::regclass
    and database = (select oid from pg_database where datname = current_database())`;
  while ((await core.services.db.query(waiting)).length === 0);
}

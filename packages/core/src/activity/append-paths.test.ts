import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { appendActivities } from './append.ts';
import { validInput } from './testing-inputs.ts';

let core: TestCore;
let careful: Context['db'];
beforeAll(async () => {
  core = await openTestCore();
  const taken = Object.assign(new Error('an id is taken'), { code: '23505' });
  careful = { ...core.services.db, write: () => Promise.reject(taken) };
});
afterAll(() => core.close());

const months = ['2026-04-30T23:59:59.999Z', '2026-05-01T00:00:00.000Z'];
const ids = Array.from({ length: 6 }, (_, at) => {
  const { id, occurredAt } = anActivity({ occurredAt: new Date(months[at % 2] as string) });
  return { id, occurredAt };
});

/** Of one of two tenants: few ids and few contents, so that calls meet each other. */
const call = fc.record({
  tenant: fc.nat({ max: 1 }),
  picks: fc.array(fc.record({ id: fc.nat({ max: 5 }), content: fc.nat({ max: 3 }) }), {
    minLength: 1,
    maxLength: 4,
  }),
});
type Call = typeof call extends fc.Arbitrary<infer Value> ? Value : never;
type Inputs = readonly Record<string, unknown>[];

/** Groups of calls, each group at the same time, by one way of storing; what was told, and what is there then. */
async function run(db: Context['db'], inputs: Inputs, groups: readonly (readonly Call[])[]) {
  const contexts = [core.context(), core.context()].map((ctx) => ({ ...ctx, db }));
  const answers: unknown[] = [];
  for (const calls of groups) {
    const told = calls.map(({ tenant, picks }) => {
      const activities = picks.map(({ id, content }) => ({ ...inputs[content % inputs.length], ...ids[id] }));
      return appendActivities({ ctx: contexts[tenant] as Context, input: { activities } });
    });
    answers.push((await Promise.all(told)).map(withoutRandom));
  }
  return { answers, rows: await Promise.all(contexts.map(rowsOf)) };
}

const random: ReadonlySet<string> = new Set(['batchId', 'leaf', 'root']);

function withoutRandom(result: Awaited<ReturnType<typeof appendActivities>>): unknown {
  const batches = result.batches.map(({ size }) => size);
  return JSON.parse(
    JSON.stringify({ ...result, batches }, (key, value: unknown) => (random.has(key) ? undefined : value)),
  );
}

function rowsOf(ctx: Context): Promise<unknown[]> {
  return ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.query(sql`
      select to_jsonb(a) - '{tenant_id,batch_id,seed}'::text[] as activity, size, octet_length(leaves) as leaves,
        first_occurred_at, last_occurred_at, b.recorded_at
      from annals.activity a join annals.batch b on b.tenant_id = a.tenant_id and b.id = a.batch_id order by a.id`),
  );
}

test('the plain path and the de-duplicating one give the same answers and store the same, of calls that share batches too', async () => {
  const inputs = fc.array(validInput, { minLength: 2, maxLength: 4 });
  const groups = fc.array(fc.array(call, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 });
  const statuses = new Set<string>();
  await fc.assert(
    fc.asyncProperty(inputs, groups, async (...given) => {
      const plain = await run(core.services.db, ...given);
      expect(await run(careful, ...given)).toEqual(plain);
      for (const [, status = ''] of JSON.stringify(plain.answers).matchAll(/"(?:status|code)":"(\w+)"/g)) {
        statuses.add(status);
      }
    }),
    { numRuns: 40 },
  );
  expect([...statuses].toSorted()).toEqual(['duplicate', 'id_conflict', 'refused', 'stored']);
});

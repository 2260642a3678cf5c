import { type ActivityInput, AnnalsError } from '@annals/contract';
import { operatorPrincipal } from '@annals/server';
import { anActivity, aTenantId } from '@annals/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Annals } from './annals.ts';
import { createAnnals } from './create-annals.ts';
import { type Fetch, noPauses, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

const idCount = 6;
/** Two that are there, and one that is not. */
const tenantCount = 2;

/** Of few ids, so that calls meet. */
const pick = fc.record({
  id: fc.nat({ max: idCount - 1 }),
  content: fc.nat({ max: 1 }),
  form: fc.constantFrom('valid', 'valid', 'valid', 'invalid', 'unsendable'),
});
const call = fc.record({
  tenant: fc.nat({ max: tenantCount }),
  picks: fc.array(pick, { minLength: 1, maxLength: 4 }),
  /** When it is made, and when the caller leaves, if at all, in turns of the event loop. */
  made: fc.nat({ max: 4 }),
  leaves: fc.option(fc.nat({ max: 4 }), { freq: 8 }),
});
/** What becomes of the requests, one after the other. */
const fate = fc.constantFrom('served', 'late', 'lost', 'answer lost');
const fates = fc.array(fate, { maxLength: 10 });

type Value<A> = A extends fc.Arbitrary<infer V> ? V : never;
type Pick = Value<typeof pick>;
type Call = Value<typeof call>;

interface World {
  readonly client: Annals;
  readonly tenantIds: readonly string[];
  readonly ids: readonly { readonly id: string; readonly occurredAt: Date }[];
}

async function openWorld(ways: readonly Value<typeof fate>[]): Promise<World> {
  const serve = network.fetchAs(operatorPrincipal());
  const left = [...ways];
  const fetch: Fetch = async (url, init) => {
    const way = left.shift() ?? 'served';
    if (way === 'lost') throw new TypeError('fetch failed');
    if (way === 'late') await turns(3);
    const response = await serve(url, init);
    if (way === 'answer lost') throw new TypeError('fetch failed');
    return response;
  };
  const url = 'http://annals.test';
  const tenantIds = Array.from({ length: tenantCount + 1 }, () => aTenantId());
  const admin = createAnnals({ url, fetch: serve });
  for (const id of tenantIds.slice(0, tenantCount)) await admin.tenants.create({ id });
  const ids = Array.from({ length: idCount }, () => anActivity({}));
  return { client: createAnnals({ url, fetch, retry: { ...noPauses, attemptsMax: 20 } }), tenantIds, ids };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function toInput({ ids }: World, { id, content, form }: Pick): ActivityInput {
  const action = form === 'invalid' ? 'NOT VALID' : `content.of_${content}`;
  const metadata = form === 'unsendable' ? { n: Number.NaN } : {};
  return { ...ids[id], action, actor: { type: 'user', id: 'ada' }, metadata };
}

type Outcome = Pick & { readonly tenant: number; readonly became: string };

/** What became of each activity of a call: by `log` where it is one, else by `logMany`. */
async function makeCall(world: World, { tenant, picks, made, leaves }: Call): Promise<Outcome[]> {
  await turns(made);
  const leaving = new AbortController();
  if (leaves !== null) void turns(leaves).then(() => leaving.abort(new Error('left')));
  const options = { tenantId: world.tenantIds[tenant] as string, signal: leaving.signal };
  const inputs = picks.map((each) => toInput(world, each));
  const [only, ...others] = inputs as [ActivityInput];
  const became = await (others.length > 0 ? many(world, inputs, options) : one(world, only, options)).catch(
    (error: unknown) => picks.map(() => failureText(error)),
  );
  return picks.map((each, at) => ({ ...each, tenant, became: became[at] as string }));
}

type Options = { readonly tenantId: string; readonly signal: AbortSignal };

async function one({ client }: World, input: ActivityInput, options: Options): Promise<string[]> {
  const { status, id } = await client.log(input, options);
  expect(id).toBe(input.id);
  return [status];
}

async function many(
  { client }: World,
  inputs: readonly ActivityInput[],
  options: Options,
): Promise<string[]> {
  const { results, stored, duplicates, refused } = await client.logMany(inputs, options);
  expect([stored + duplicates + refused, results.length]).toEqual([inputs.length, inputs.length]);
  return results.map((item, at) => {
    if (item.status !== 'refused') {
      expect(item.id).toBe(inputs[at]?.id);
      return item.status;
    }
    expect(item.path).toMatch(new RegExp(`^activities\\.${at}\\.`));
    return `${item.code} ${item.path?.slice(`activities.${at}.`.length)}`;
  });
}

function failureText(error: unknown): string {
  return error instanceof AnnalsError ? `${error.code} ${error.path}` : (error as Error).message;
}

async function contentsOf({ client, tenantIds }: World, tenant: number): Promise<Map<string, number>> {
  const contents = new Map<string, number>();
  const list = client.list('action:content.*', { tenantId: tenantIds[tenant] as string });
  for await (const { id, action } of list) contents.set(id, Number(action.at(-1)));
  return contents;
}

/** What a call alone is told, by what is in the log; who stored it is one of them, unless that one was not told. */
function expectAsAlone(
  outcomes: readonly Outcome[],
  { content, untold }: { content?: number | undefined; untold: boolean },
) {
  const told = outcomes.filter(({ became }) => became !== 'left');
  const valid = told.filter(({ form }) => form === 'valid');
  for (const { form, became } of told) {
    if (form === 'invalid') expect(became).toBe('invalid_input action');
    if (form === 'unsendable') expect(became).toBe('invalid_input metadata.n');
  }
  if (content === undefined) expect(valid).toEqual([]);
  const stored = valid.filter(({ became }) => became === 'stored');
  expect(stored.length).toBeLessThanOrEqual(1);
  if (valid.length > 0 && !untold) expect(stored).toHaveLength(1);
  for (const each of stored) expect(each.content).toBe(content);
  for (const each of valid.filter(({ became }) => became !== 'stored')) {
    expect(each.became).toBe(each.content === content ? 'duplicate' : 'id_conflict id');
  }
}

test('whatever calls meet, and whatever becomes of requests, each call is told what it would have been told alone', async () => {
  const runs = fc.asyncProperty(fc.array(call, { maxLength: 24 }), fates, async (calls, ways) => {
    const world = await openWorld(ways);
    const outcomes = (await Promise.all(calls.map((each) => makeCall(world, each)))).flat();
    for (let tenant = 0; tenant < tenantCount; tenant += 1) {
      const contents = await contentsOf(world, tenant);
      for (const [id, activity] of world.ids.entries()) {
        const own = outcomes.filter((each) => each.tenant === tenant && each.id === id);
        const untold = ways.includes('answer lost') || own.some(({ became }) => became === 'left');
        expectAsAlone(own, { content: contents.get(activity.id), untold });
      }
    }
    for (const { form, became } of outcomes.filter(({ tenant }) => tenant === tenantCount)) {
      if (form === 'valid' && became !== 'left') expect(became).toBe('not_found tenantId');
    }
  });
  await fc.assert(runs, { numRuns: 40 });
}, 60_000);

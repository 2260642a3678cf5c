import { type Activity, Filter, type FilterInput, type ListInput, scopes } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { exportActivities } from './export.ts';
import { streamActivities } from './export-stream.ts';
import { listActivities } from './list.ts';
import { full, minimal, storeAll } from './testing.ts';

type Order = ListInput['order'];
interface Asked {
  readonly filter?: Filter;
  readonly order: Order;
  readonly cursor?: string;
}

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

interface Line {
  readonly id: string;
}

/** The lines of an export until so many have come, as a connection that is cut has them. */
async function linesOf(ctx: Context, input: Asked, count = Number.POSITIVE_INFINITY) {
  const { pass, chunks } = await streamActivities({ ctx, input });
  const lines: Line[] = [];
  for await (const { pieces, count: told } of chunks) {
    const of = Buffer.concat(pieces).toString().split('\n').slice(0, -1);
    expect(of).toHaveLength(told);
    lines.push(...of.map((line) => JSON.parse(line) as Line));
    if (lines.length >= count) break;
  }
  return { pass, lines: lines.slice(0, count) };
}

async function listed(ctx: Context, input: Asked): Promise<unknown[]> {
  const activities: Activity[] = [];
  let cursor: string | undefined;
  do {
    const page = await listActivities({ ctx, input: { ...input, limit: 1_000, cursor } });
    activities.push(...page.activities);
    cursor = page.next;
  } while (cursor !== undefined);
  return JSON.parse(JSON.stringify(activities)) as unknown[];
}

async function ownRecords(ctx: Context) {
  const input = { order: 'oldest', limit: 50, query: 'action:annals.exported' } as const;
  return (await listActivities({ ctx, input })).activities;
}

describe('an export in one answer', () => {
  let tenantId: string;
  beforeAll(async () => {
    const ctx = core.context();
    tenantId = ctx.tenantId;
    const actions = ['invoice.voided', 'invoice.made', 'user_login'];
    const many = Array.from({ length: 1_290 }, (_, at) => ({
      ...anActivity({ occurredAt: new Date(Date.parse('2025-12-30T00:00:00Z') + at * 300_000) }),
      action: actions[at % 3],
      actor: { type: 'user', id: `usr_${at % 7}`, ...(at % 2 && { label: `Ada "${at}"\u2028\\` }) },
      severity: at % 50 === 0 ? 'error' : 'info',
      ...(at % 11 === 0 && { channel: 'cli', tags: ['rare', 'ünï'] }),
    }));
    for (let at = 0; at < many.length; at += 430) await storeAll(ctx, many.slice(at, at + 430));
    await storeAll(ctx, [
      full,
      minimal,
      { ...minimal, metadata: { n: 1e-7, big: 0.1, deep: [null, { '': {} }] } },
    ]);
  });

  const filters: FilterInput[] = [
    {},
    { action: 'invoice.*' },
    { action: ['user_login', 'invoice.made'], actor: ['usr_1', 'usr_5'] },
    { channel: 'cli' },
    { tag: 'rare', severity: 'error' },
    { from: '2025-12-31T23:00:00Z', to: '2026-01-01T07:00:00Z' },
    { actor: 'nobody' },
    { severityAtLeast: 'error' },
  ];
  const cases = fc.record({
    filter: fc.constantFrom(...filters),
    order: fc.constantFrom<Order>('newest', 'oldest'),
    cuts: fc.array(fc.oneof(fc.integer({ min: 0, max: 1_300 }), fc.integer({ min: 0, max: 5 })), {
      maxLength: 3,
    }),
    personal: fc.boolean(),
  });

  test('is what a list of the same filter has, however often it is cut and gone on with', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ order, cuts, personal, ...selected }) => {
        const filter = {
          ...Filter.parse(selected.filter),
          action: Filter.parse(selected.filter).action ?? { none: ['annals.*'] },
        };
        const granted = personal ? scopes : (['export', 'activities:read'] as const);
        const ctx = core.context({ tenantId, principal: { scopes: granted } });
        const exported: Line[] = [];
        let cursor: string | undefined;
        for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
          const { pass, lines } = await linesOf(ctx, { filter, order, ...(cursor && { cursor }) }, cut);
          if (cursor) expect(cursor.endsWith(pass)).toBe(true);
          exported.push(...lines);
          cursor = `${exported.at(-1)?.id ?? 'start'}.${pass}`;
        }
        expect(exported).toEqual(await listed(ctx, { filter, order }));
      }),
      { numRuns: 25 },
    );
  });

  test('is recorded once, as its pages are, and gone on with by the next of a page too', async () => {
    const ctx = core.context();
    await storeAll(ctx, [anActivity(), anActivity(), anActivity()]);
    const asked = { filter: Filter.parse({ action: 'invoice.*' }), order: 'oldest' } as const;
    const page = await exportActivities({ ctx, input: { ...asked, limit: 2 } });
    const rest = await linesOf(ctx, { ...asked, cursor: page.next as string });
    expect(rest.lines).toHaveLength(1);
    const further = { ...asked, cursor: `${page.activities[0]?.id}.${rest.pass}` };
    expect((await linesOf(ctx, further)).lines).toHaveLength(2);
    expect((await exportActivities({ ctx, input: { ...further, limit: 5 } })).activities).toHaveLength(2);
    expect(await ownRecords(ctx)).toHaveLength(1);
  });

  test('is gone on with by the key that began it, for the same filter and order, from a record', async () => {
    const ctx = core.context();
    const [id = ''] = (await storeAll(ctx, [anActivity(), anActivity()])).toSorted();
    const asked = { filter: Filter.parse({ action: 'invoice.*' }), order: 'oldest' } as const;
    const { pass } = await linesOf(ctx, asked);
    const cursor = `${id}.${pass}`;
    const other = core.context({ tenantId: ctx.tenantId, principal: { keyId: 'other' } });
    const refused = { code: 'invalid_input', path: 'cursor' };
    for (const [by, input] of [
      [other, { ...asked, cursor }],
      [core.context(), { ...asked, cursor }],
      [ctx, { order: 'oldest', cursor }],
      [ctx, { ...asked, order: 'newest', cursor }],
      [ctx, { ...asked, cursor: id }],
      [ctx, { ...asked, cursor: `ffffffff-ffff-7fff-bfff-ffffffffffff.${pass}` }],
      [ctx, { ...asked, cursor: `elsewhere.${pass}` }],
      [ctx, { ...asked, cursor: cursor.replace(/.{22}$/, 'A'.repeat(22)) }],
    ] as const) {
      await expect(linesOf(by, input)).rejects.toMatchObject(refused);
    }
    expect((await linesOf(ctx, { ...asked, cursor })).lines).toHaveLength(1);
    expect(await ownRecords(ctx)).toHaveLength(1);
    expect(await ownRecords(other)).toHaveLength(1);
  });

  test('whose reader stands still holds no transaction open', async () => {
    const ctx = core.context({ tenantId });
    const { chunks } = await streamActivities({ ctx, input: { order: 'oldest' } });
    const iterator = chunks[Symbol.asyncIterator]();
    const first = await iterator.next();
    expect(first.value?.count).toBeGreaterThan(0);
    // What is read ahead ends by itself.
    await expect
      .poll(async () => {
        const [app] = await ctx.db.pools();
        return app && app.total - app.idle;
      })
      .toBe(0);
    await iterator.return?.();
  });

  test('ends in the database when the caller goes away', async () => {
    const caller = new AbortController();
    const ctx = { ...core.context({ tenantId }), signal: caller.signal };
    const { chunks } = await streamActivities({ ctx, input: { order: 'oldest' } });
    const reading = (async () => {
      for await (const _ of chunks) caller.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'timeout' });
  });
});

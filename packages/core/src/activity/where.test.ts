import {
  type Activity,
  type ActivityInput,
  Filter,
  filterFieldNames,
  filterFields,
  pathRoots,
  presenceFields,
} from '@annals/contract';
import { filterArbitrary } from '@annals/contract/testing';
import * as fc from 'fast-check';
import { sql } from 'kysely';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { fieldColumn, valueAt } from './columns.ts';
import { matches } from './filter-reference.ts';
import { getActivity } from './get.ts';
import { read } from './read.ts';
import { storeAll } from './testing.ts';
import { whereActivity } from './where.ts';

let core: TestCore;
let ctx: Context;
let records: Activity[];

beforeAll(async () => {
  core = await openTestCore();
  ctx = core.context();
  // Two calls, so that there are two receive times.
  const inputs = fc.sample(activityArbitrary, { numRuns: 160, seed: 4983 });
  const ids = await storeAll(ctx, inputs.slice(0, 80));
  core.clock.advance(60_000);
  ids.push(...(await storeAll(ctx, inputs.slice(80))));
  await storeAll(
    core.context(),
    inputs.slice(0, 40).map((input) => ({ ...input, id: undefined })),
  );
  records = await Promise.all(ids.map((id) => getActivity({ ctx, input: { id } })));
});
afterAll(() => core.close());

async function select(filter: Filter, personal = true): Promise<string[]> {
  const where = whereActivity(filter, { tenantId: ctx.tenantId, personal });
  const rows = await read(ctx, (tx) =>
    tx.query(sql<{ id: string }>`select id from annals.activity where ${where}`),
  );
  return rows.map(({ id }) => id).toSorted();
}

function expected(filter: Filter, personal = true): string[] {
  return records
    .filter((each) => matches(each, filter, personal))
    .map(({ id }) => id)
    .toSorted();
}

// Few words, so that random filters meet random records; each has a trap for quoting, patterns or JSON text.
const words = [
  'alice',
  'Bob',
  'a"b',
  '50%',
  'x_y',
  'tab\tbed',
  'back\\slash',
  'é',
  '{',
  'NULL',
  'true',
  '5',
  ', ',
];
const word = fc.constantFrom(...words.map((each) => each.trim()));
const actions = ['invoice.voided', 'invoice.paid', 'invoice', 'user_login', 'user.login'];
const ips = ['10.1.2.3', '10.9.9.9', '192.0.2.1', '2001:db8::1', '2001:db8:0:1::2'];
const start = Date.parse('2026-01-30T00:00:00.000Z');
const moment = fc.integer({ min: 0, max: 5 }).map((days) => new Date(start + days * 43_200_000));
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const scalar = fc.oneof(word, fc.constantFrom<number | boolean | null>(5, 0.5, 1e-7, -3, true, false, null));
const json = fc.dictionary(
  fc.constantFrom('alice', 'k', 'a"b', 'with.dot', '', '50%', '__proto__'),
  fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }), fc.dictionary(fc.constantFrom('k', 'inner'), scalar)),
  { maxKeys: 3 },
);

const activityArbitrary = fc
  .record({
    occurredAt: moment,
    action: fc.constantFrom(...actions),
    kind: fc.constantFrom('activity', 'auth', 'data_change'),
    scopeId: optional(word),
    operation: optional(fc.constantFrom('create', 'read', 'update', 'delete')),
    severity: fc.constantFrom('info', 'warning', 'error', 'critical'),
    outcome: fc.constantFrom('success', 'failure', 'denied', 'unknown'),
    visibility: fc.constantFrom('internal', 'client', 'system'),
    actor: fc.record({ type: fc.constantFrom('user', 'system'), id: optional(word), label: optional(word) }),
    subject: optional(fc.record({ id: word })),
    target: optional(fc.record({ type: word, id: word, label: optional(word) })),
    channel: optional(word),
    source: optional(word),
    message: optional(fc.array(word, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(' '))),
    reason: optional(word),
    context: optional(
      fc.record({
        ip: optional(fc.constantFrom(...ips)),
        userAgent: optional(word),
        requestId: optional(word),
        sessionId: optional(word),
        traceId: optional(word),
        spanId: optional(word),
      }),
    ),
    tags: fc.array(word, { maxLength: 3 }),
    metadata: json,
    after: json,
  })
  .map(({ after, ...input }) => ({
    ...input,
    id: v7({ msecs: input.occurredAt.getTime() }),
    ...(input.kind === 'auth' && { details: { method: 'k', mfa: true } }),
    ...(input.kind === 'data_change' && { details: { resource: 'alice', after } }),
  })) as fc.Arbitrary<ActivityInput>;

const path = fc.array(
  fc.constantFrom(
    'alice',
    'k',
    'a"b',
    'with.dot',
    '',
    '__proto__',
    '0',
    '-1',
    'inner',
    'after',
    'method',
    'mfa',
  ),
  { minLength: 1, maxLength: 3 },
);
const presence = fc.oneof(
  fc.record({ field: fc.constantFrom(...presenceFields) }),
  fc.record({ root: fc.constantFrom(...pathRoots), path }),
);
const lists = (names: string[], value: fc.Arbitrary<unknown>) =>
  fc.record(Object.fromEntries(names.map((name) => [name, fc.array(value, { maxLength: 3 })])));

/** Values that records have, and others. */
function fieldValues(name: (typeof filterFieldNames)[number]): fc.Arbitrary<unknown> {
  const { kind, values } = filterFields[name] as { kind: string; values?: readonly string[] };
  if (values) return fc.constantFrom(...values);
  if (kind === 'action') return fc.constantFrom(...actions, 'invoice.*', 'user.*', 'nope.*', 'nope');
  if (kind === 'ip')
    return fc.constantFrom(...ips, '10.0.0.0/8', '10.1.2.3/16', '2001:db8::/48', '::/0', '0.0.0.0/0');
  if (kind === 'uuid')
    return fc.integer({ min: 0, max: 400 }).map((n) => records[n]?.id ?? crypto.randomUUID());
  return word;
}

const part: fc.Arbitrary<object> = fc.oneof(
  ...filterFieldNames.map((name) =>
    fc
      .constant(name)
      .chain((field) => lists(['any', 'none'], fieldValues(field)).map((value) => ({ [field]: value }))),
  ),
  ...['from', 'to', 'recordedFrom', 'recordedTo'].map((name) =>
    fc
      .oneof(
        moment,
        fc.constantFrom(0, 60_000, 60_001).map((ms) => new Date(Date.parse('2026-06-15T12:00:00Z') + ms)),
      )
      .map((value) => ({ [name]: value })),
  ),
  fc.constantFrom('info', 'warning', 'error', 'critical').map((severityAtLeast) => ({ severityAtLeast })),
  lists(['any', 'all', 'none'], word).map((tag) => ({ tag })),
  ...pathRoots.map((root) =>
    fc
      .tuple(path, lists(['any', 'none'], fc.constantFrom(...words, '0.5', '0.0000001', '-3', 'false', 'k')))
      .map(([path, values]) => ({ [root]: [{ path, ...values }] })),
  ),
  lists(['all', 'none'], presence).map((has) => ({ has })),
  lists(
    ['all', 'none'],
    fc.constantFrom(
      ...words.map((each) => each.trim()),
      'ALICE',
      'É',
      'nbed',
      'tbed',
      ':',
      '": "',
      '%',
      '_',
      '\\',
      'null',
      'e-7',
      'inner',
    ),
  ).map((text) => ({ text })),
);

const meetingFilter = fc
  .array(part, { minLength: 1, maxLength: 3 })
  .map((parts) => Filter.safeParse(Object.assign({}, ...parts)).data)
  .filter((filter) => filter !== undefined);

describe('a filter selects what it says', () => {
  test('in random records, of the own tenant only', async () => {
    let met = 0;
    await fc.assert(
      fc.asyncProperty(meetingFilter, fc.boolean(), async (filter, personal) => {
        const ids = await select(filter, personal);
        expect(ids).toEqual(expected(filter, personal));
        if (ids.length > 0 && ids.length < records.length) met += 1;
      }),
      { numRuns: 400 },
    );
    // Not by selecting nothing or all.
    expect(met).toBeGreaterThan(100);
  });

  test('the empty one: everything of the tenant', async () => {
    expect(await select({})).toEqual(records.map(({ id }) => id).toSorted());
  });

  test.each(filterFieldNames)('by %s: any, and none with the records that lack it', async (name) => {
    const values = new Set(records.map((each) => valueAt(each, fieldColumn(name).path)));
    for (const value of values) {
      if (value === undefined) continue;
      const filter = { [name]: { any: [value] } };
      expect(await select(filter)).toEqual(expected(filter));
      const without = { [name]: { none: [value] } };
      expect(await select(without)).toEqual(expected(without));
    }
  });
});

test('whatever filter is valid can be asked for', async () => {
  await fc.assert(
    fc.asyncProperty(filterArbitrary, async (filter) => {
      expect(await select(filter)).toEqual(expected(filter));
    }),
    { numRuns: 150 },
  );
});

test('whatever address is valid can be stored and found again, in any of its forms', async () => {
  const own = core.context();
  const addresses = fc.sample(fc.oneof(fc.ipV4(), fc.ipV6()), { numRuns: 200, seed: 1 });
  const [id] = await storeAll(own, [{ action: 'x', actor: { type: 'user' } }]);
  await storeAll(
    own,
    addresses.map((ip) => ({ action: 'x', actor: { type: 'user' }, context: { ip } })),
  );
  const count = async (filter: Filter) => {
    const where = whereActivity(filter, { tenantId: own.tenantId, personal: true });
    return read(own, (tx) => tx.query(sql`select id from annals.activity where ${where}`));
  };
  expect(await count({ ip: { any: ['0.0.0.0/0', '::/0'] } })).toHaveLength(200);
  expect(await count({ ip: { none: ['0.0.0.0/0', '::/0'] } })).toEqual([{ id }]);
  for (const ip of addresses.slice(0, 20)) expect(await count(Filter.parse({ ip }))).not.toEqual([]);
});

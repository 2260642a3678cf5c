import { Filter, type RetentionPolicy } from '@annals/contract';
import * as fc from 'fast-check';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeAll } from '../activity/testing.ts';
import type { Context, Services } from '../context.ts';
import { killedAt } from '../database/testing.ts';
import { anonymize, personOf, purge, redact } from '../hold/testing.ts';
import { followLog } from '../log/follow-log.ts';
import { setPolicies } from '../retention/set-policies.ts';
import { openTestPair, sequenceAll, type TestCore, type TestPair } from '../testing.ts';
import { rollupFollower } from './count-batches.ts';
import { countedDimensions } from './cubes.ts';
import { countAll, countBothWays, expectExact, followAll, type ZonedRequest } from './testing.ts';

let pair: TestPair;
let core: TestCore;
let other: Services;
let admin: Client;
beforeAll(async () => {
  pair = await openTestPair();
  ({ core, other, admin } = pair);
});
afterAll(() => pair.close());

/** Where clocks are put forward or back, zones change for good, days of UTC and quarters of an hour begin. */
const turns = [
  '1971-12-31T23:44:30Z',
  '1972-01-07T00:44:30Z',
  '1979-10-01T10:40:00Z',
  '1994-12-31T10:00:00Z',
  '2011-11-06T02:31:00Z',
  '2011-12-30T10:00:00Z',
  '2018-11-04T03:00:00Z',
  '2025-10-26T01:00:00Z',
  '2025-11-02T05:00:00Z',
  '2026-03-29T01:00:00Z',
  '2026-04-04T15:00:00Z',
  '2026-06-01T00:00:00Z',
  '2026-06-14T18:30:00Z',
  '2026-06-15T00:00:00Z',
].map((time) => Date.parse(time));

const zones = [
  'UTC',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'America/Havana',
  'America/Sao_Paulo',
  'Africa/Monrovia',
  'Pacific/Kiritimati',
  'Pacific/Apia',
];

const time = fc
  .tuple(
    fc.constantFrom(...turns),
    fc.oneof(
      fc.constantFrom(-1, 0, 1, 30_000, 60_000, 899_999, 900_000, -900_000),
      fc.integer({ min: -90_000_000, max: 90_000_000 }),
    ),
  )
  // Beyond this the clock of the tests would refuse it.
  .map(([turn, offset]) => new Date(Math.min(turn + offset, Date.parse('2026-06-15T12:00:00Z'))));

const activity = fc.record(
  {
    action: fc.constantFrom('invoice.created', 'invoice.voided', 'user.login'),
    actor: fc.record(
      { type: fc.constantFrom('user', 'worker'), id: fc.constantFrom('ada', 'bob', 'cyd') },
      { requiredKeys: ['type'] },
    ),
    occurredAt: time,
    kind: fc.constantFrom('activity', 'auth'),
    severity: fc.constantFrom('info', 'warning', 'error', 'critical'),
    outcome: fc.constantFrom('success', 'failure'),
    operation: fc.constantFrom('create', 'update'),
    visibility: fc.constantFrom('internal', 'client'),
    channel: fc.constantFrom('web', 'api of ada'),
    scopeId: fc.constantFrom('north', 'ada'),
    target: fc.record({ type: fc.constantFrom('doc', 'user'), id: fc.constantFrom('ada', '1') }),
  },
  { requiredKeys: ['action', 'actor', 'occurredAt'] },
);

const values = {
  action: ['invoice.*', 'invoice.voided', 'user.login'],
  actor: ['ada', 'bob', 'nobody'],
  actorType: ['user'],
  severity: ['info', 'error'],
  outcome: ['failure', 'success'],
  channel: ['web'],
  scope: ['north', 'ada'],
  operation: ['create'],
  targetType: ['doc'],
} as const;

const filter = fc
  .record(
    {
      range: fc.tuple(fc.option(time, { nil: undefined }), fc.option(time, { nil: undefined })),
      part: fc
        .constantFrom(...(Object.keys(values) as (keyof typeof values)[]))
        .chain((name) =>
          fc.tuple(
            fc.constant(name),
            fc.constantFrom('any', 'none'),
            fc.subarray([...values[name]], { minLength: 1 }),
          ),
        ),
      severityAtLeast: fc.constantFrom('warning', 'error'),
      has: fc.record({ all: fc.constant(['channel']) }),
    },
    { requiredKeys: [] },
  )
  .map(({ range, part, ...rest }) => {
    const [from, to] = range ?? [];
    return Filter.parse({
      ...rest,
      ...(part && { [part[0]]: { [part[1]]: part[2] } }),
      ...(from && !(to && from >= to) && { from }),
      ...(to && !(from && from >= to) && { to }),
    });
  });

const request: fc.Arbitrary<ZonedRequest> = fc.record({
  filter,
  groupBy: fc.subarray([...countedDimensions], { maxLength: 2 }),
  interval: fc.constantFrom(undefined, 'hour', 'day', 'week', 'month'),
  timeZone: fc.constantFrom(...zones),
  limit: fc.constantFrom(3, 1_000),
});

const keepOnlyRecent: RetentionPolicy[] = [
  { name: 'errors', keepDays: 30, since: 'occurredAt', severities: ['error'] },
  { name: 'logins', keepDays: 60, since: 'occurredAt', actions: ['user.login'] },
];

const redactions = ['actor.id', 'channel', 'target.id'];

type Step =
  | { readonly kind: 'append'; readonly activities: readonly object[] }
  | { readonly kind: 'sequence' | 'count' | 'both' | 'purge' | 'anonymize' }
  | { readonly kind: 'redact'; readonly fields: string[] }
  | { readonly kind: 'kill'; readonly at: number }
  | { readonly kind: 'ask'; readonly request: ZonedRequest };

const append = fc.record({
  kind: fc.constant('append' as const),
  activities: fc.array(activity, { minLength: 1, maxLength: 12 }),
});

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { arbitrary: append, weight: 4 },
    { arbitrary: fc.record({ kind: fc.constant('ask' as const), request }), weight: 8 },
    {
      arbitrary: fc.record({ kind: fc.constantFrom('sequence' as const, 'count' as const, 'both' as const) }),
      weight: 5,
    },
    { arbitrary: fc.record({ kind: fc.constantFrom('purge' as const, 'anonymize' as const) }), weight: 1 },
    {
      arbitrary: fc.record({
        kind: fc.constant('redact' as const),
        fields: fc.subarray(redactions, { minLength: 1 }),
      }),
      weight: 1,
    },
    { arbitrary: fc.record({ kind: fc.constant('kill' as const), at: fc.nat(7) }), weight: 1 },
  ),
  { minLength: 8, maxLength: 24 },
);

async function takeStep(ctx: Context, step: Step): Promise<void> {
  const { tenantId } = ctx;
  if (step.kind === 'append') await storeAll(ctx, step.activities);
  if (step.kind === 'sequence') await sequenceAll(core, tenantId);
  if (step.kind === 'count') await countAll(core, tenantId);
  if (step.kind === 'both') {
    await sequenceAll(core, tenantId);
    await Promise.all([followAll(core.services, tenantId), followAll(other, tenantId)]);
  }
  if (step.kind === 'kill') {
    const { db } = killedAt(core.services.db, { admin, step: step.at });
    await followLog({ db }, { tenantId, follower: rollupFollower }).catch(() => 0);
  }
  if (step.kind === 'redact') await redact(ctx, { query: 'actor:ada', fields: step.fields });
  if (step.kind === 'anonymize') await anonymize(ctx, personOf('ada'));
  if (step.kind === 'purge') await purge(ctx);
  if (step.kind === 'ask') await countBothWays(ctx, step.request);
}

test('whatever is appended, sequenced, erased, purged and killed, the counts are those of the activities', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.array(request, { minLength: 4, maxLength: 4 }), async (run, requests) => {
      const ctx = core.context();
      await setPolicies({ ctx, input: { policies: keepOnlyRecent } });
      for (const step of run) await takeStep(ctx, step);
      await expectExact(ctx);
      for (const each of requests) await countBothWays(ctx, each);
      await countAll(core, ctx.tenantId);
      await expectExact(ctx);
      for (const each of requests) {
        const told = await countBothWays(ctx, each);
        if (Object.keys(each.filter).length === 0) expect(told).toBeDefined();
      }
    }),
    { numRuns: 8 },
  );
});

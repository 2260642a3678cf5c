import { anActivity } from '@annals/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import type { Context } from '../context.ts';
import { seed } from '../job/testing.ts';
import { openTestCore, sequenceAll, signCommitted, type TestCore } from '../testing.ts';
import { sealDueManifests } from './seal-due-manifests.ts';
import { anonymizePerson, committedLeaves, expectAccounted, purgeBy, redactFields } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const persons = ['user_1', 'user_2', 'Zoé Ünal'] as const;
const person = fc.constantFrom(...persons);
const text = fc.oneof(
  fc
    .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
    .filter((value) => value.trim() === value && !value.includes('\0')),
  person.map((name) => `asked by ${name}`),
);
const key = fc.constantFrom('plan', '', '__proto__', '0', 'a.b', 'ümlaut', 'user_1', 'z');
const value = fc.oneof(
  { depthSize: 'small' },
  text,
  fc.integer(),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  fc.constant(null),
  fc.dictionary(key, fc.oneof(text, fc.boolean()), { maxKeys: 3 }),
  fc.array(fc.oneof(text, person), { maxLength: 3 }),
);
const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const activity = fc.record({
  occurredAt: fc.date({ min: new Date('2026-01-05'), max: new Date('2026-06-10'), noInvalidDate: true }),
  severity: fc.constantFrom('info' as const, 'warning' as const),
  actor: fc.record({ type: fc.constant('user' as const), id: optional(person), label: optional(text) }),
  subject: optional(fc.record({ id: person })),
  target: optional(fc.record({ type: fc.constant('user'), id: person, label: text })),
  message: optional(text),
  reason: optional(text),
  context: optional(fc.record({ ip: fc.constant('198.51.100.7'), userAgent: text })),
  tags: fc.uniqueArray(fc.oneof(fc.constantFrom('a', 'b'), person), { maxLength: 3 }),
  metadata: fc.dictionary(key, value, { maxKeys: 5 }),
  details: optional(fc.record({ method: fc.constant('password'), mfa: fc.boolean() })),
});

type Step = (ctx: Context) => Promise<unknown>;
const step: fc.Arbitrary<readonly [string, Step]> = fc.oneof(
  fc
    .tuple(person, fc.constantFrom('anonymize' as const, 'pseudonymize' as const))
    .map(([id, mode]) => [`${mode} ${id}`, (ctx: Context) => anonymizePerson(ctx, { id, mode })] as const),
  fc
    .uniqueArray(
      fc.constantFrom(
        'actor.label',
        'message',
        'context.ip',
        'tags',
        'metadata',
        'metadata.plan',
        'metadata.z.a\\.b',
        'details.mfa',
        'target.id',
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map(
      (fields) => [`redact ${fields.join(' ')}`, (ctx: Context) => redactFields(ctx, { fields })] as const,
    ),
  fc
    .constantFrom(20, 90)
    .map(
      (keepDays) =>
        [
          `purge ${keepDays}`,
          (ctx: Context) =>
            purgeBy(ctx, [
              { name: 'p', keepDays, since: 'occurredAt' as const, severities: ['info' as const] },
            ]),
        ] as const,
    ),
  fc.constant(['sign', (ctx: Context) => signCommitted(core, ctx.tenantId)] as const),
  fc.constant(['seal', () => sealDueManifests({ ...core.services, manifestIntervalMs: 0 })] as const),
);

test('whatever is erased and purged, what survives is what was committed, and the lists say what has gone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(activity, { minLength: 1, maxLength: 12 }),
      fc.array(step, { minLength: 1, maxLength: 6 }),
      async (activities, steps) => {
        const ctx = core.context();
        await seed(
          ctx,
          activities.map((each) => anActivity({ kind: 'auth', ...each } as object)),
        );
        const committed = await committedLeaves(ctx);
        for (const [, run] of steps) {
          // Manifests are told apart by when they were opened.
          core.clock.advance(1);
          await run(ctx);
          for (const [place, leaf] of await committedLeaves(ctx)) committed.set(place, leaf);
        }
        await sequenceAll(core, ctx.tenantId);
        await expectAccounted(ctx, committed);
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

import type { Disturbance } from '@annals/core/testing';
import * as fc from 'fast-check';

/** The first tenant has most of it, so that much comes together there. */
const on = { tenant: fc.constantFrom(0, 0, 0, 0, 1, 1, 2), by: fc.nat(1) };

/** Mostly nothing happens to a process; otherwise early, or after some chunks. */
const disturbance = fc.option(
  fc.record({
    at: fc.oneof(fc.nat(12), fc.nat(60)),
    kind: fc.constantFrom<Disturbance['kind']>('kill', 'leave'),
  }),
  { nil: undefined, freq: 1 },
);

const count = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 150, max: 300 }));

const often = {
  append: fc.record({ kind: fc.constant('append' as const), ...on, count, both: fc.boolean(), disturbance }),
  erase: fc.record({
    kind: fc.constant('erase' as const),
    ...on,
    mode: fc.constantFrom('redact' as const, 'anonymize' as const, 'pseudonymize' as const),
    person: fc.nat(2),
    /** Others append, sequence, sign and seal meanwhile. */
    busy: fc.boolean(),
    disturbance,
  }),
  sequence: fc.record({ kind: fc.constant('sequence' as const), ...on, disturbance }),
  sign: fc.record({ kind: fc.constant('sign' as const), ...on, both: fc.boolean(), disturbance }),
  seal: fc.record({ kind: fc.constant('seal' as const), ...on, minutes: fc.nat(70), disturbance }),
};

const seldom = {
  openLate: fc.record({ kind: fc.constant('open late' as const), ...on, count }),
  commitLate: fc.record({ kind: fc.constant('commit late' as const), ...on }),
  purge: fc.record({
    kind: fc.constant('purge' as const),
    ...on,
    keepDays: fc.constantFrom(30, 450, 490),
    busy: fc.boolean(),
    disturbance,
  }),
  goOn: fc.record({ kind: fc.constant('go on' as const), ...on, disturbance }),
  hold: fc.record({ kind: fc.constant('hold' as const), ...on, over: fc.nat(3) }),
  release: fc.record({ kind: fc.constant('release' as const), ...on }),
  restart: fc.record({ kind: fc.constant('restart' as const), ...on }),
  backUp: fc.record({ kind: fc.constant('back up' as const), ...on }),
};

const rarely = {
  rotate: fc.record({ kind: fc.constant('rotate' as const), ...on }),
  retire: fc.record({ kind: fc.constant('retire' as const), ...on }),
  restore: fc.record({ kind: fc.constant('restore' as const), ...on }),
  openEpoch: fc.record({ kind: fc.constant('open epoch' as const), ...on, disturbance }),
};

const anyStep = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(...Object.values(often)) },
  { weight: 6, arbitrary: fc.oneof(...Object.values(seldom)) },
  { weight: 3, arbitrary: fc.oneof(...Object.values(rarely)) },
);

type StepArbitrary =
  | (typeof often)[keyof typeof often]
  | (typeof seldom)[keyof typeof seldom]
  | (typeof rarely)[keyof typeof rarely];
export type Step = StepArbitrary extends fc.Arbitrary<infer One> ? One : never;
export type StepOf<Kind extends Step['kind']> = Extract<Step, { readonly kind: Kind }>;

export const steps: fc.Arbitrary<Step[]> = fc.array(anyStep, { minLength: 8, maxLength: 30, size: 'max' });

/** Each run seals its own manifest, or those of an hour gather in one. */
export const mixing: fc.Arbitrary<number> = fc.constantFrom(0, 3_600_000);

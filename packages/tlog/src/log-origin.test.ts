import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOriginOf, type OriginOf } from './log-origin.ts';

const log = fc.record({
  tenantId: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom('e2', 'a/e2', '*')),
  epoch: fc.integer({ min: 1, max: 3 }),
});

test('an origin is that of one log only', () => {
  fc.assert(
    fc.property(log, log, (a, b) => {
      const same = a.tenantId === b.tenantId && a.epoch === b.epoch;
      expect(isOriginOf(originOf(a), b)).toBe(same);
    }),
  );
});

test('a log name with a slash is that of no log, since it would make an origin that of two', () => {
  expect(isOriginOf('example.com/logs/e2', { tenantId: 'e2', epoch: 1 })).toBe(false);
  expect(isOriginOf('example.com/logs/e2', { tenantId: 'logs', epoch: 2 })).toBe(true);
  expect(isOriginOf('/logs', { tenantId: 'logs', epoch: 1 })).toBe(false);
});

function originOf({ tenantId, epoch }: OriginOf): string {
  return `log.test/${encodeURIComponent(tenantId)}${epoch === 1 ? '' : `/e${epoch}`}`;
}

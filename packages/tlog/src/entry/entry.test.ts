import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eraseSlots } from './erase-slots.ts';
import { decodeOpenings, encodeOpenings } from './openings.ts';
import { rebuildEntry } from './rebuild-entry.ts';
import { type JsonMap, type LoggedRecord } from './record.ts';

const seed = new Uint8Array(16).fill(7);
const restSalt = new Uint8Array(16).fill(9);

const record: LoggedRecord = {
  id: '019756b0-0000-7000-8000-000000000001',
  recordedAt: new Date('2026-06-15T12:00:00.000Z'),
  action: 'invoice.voided',
  kind: 'data_change',
  severity: 'info',
  outcome: 'success',
  visibility: 'internal',
  actor: { type: 'user', id: 'u1', label: 'Alice' },
  target: { type: 'invoice', id: 'i1' },
  message: 'voided',
  tags: ['a', 'b'],
  metadata: { plan: 'pro', user: { email: 'alice@example.com' }, n: 1 },
  details: { resource: 'invoice' },
};

describe('an erasure', () => {
  test('keeps the leaf, and forgets the seed', () => {
    const whole = rebuildEntry(record, { seed });
    const after: LoggedRecord = {
      ...record,
      actor: { type: 'user', id: 'p_1' },
      tags: ['b'],
      metadata: { plan: 'pro', user: { email: null } },
      erased: ['actor.id', 'actor.label', 'metadata.*', 'metadata.user.email', 'tags'],
    };
    const erased = eraseSlots({ before: record, after, opening: { seed }, restSalt });
    const bytes = encodeOpenings(erased.openings);
    const rebuilt = rebuildEntry(after, { openings: decodeOpenings(bytes) });
    expect(rebuilt.leaf).toEqual(whole.leaf);
    expect(rebuilt.erased?.rest).toEqual(erased.rest);
    expect(rebuilt.slots.map(({ state }) => state)).toEqual([
      'open',
      'replaced',
      'gone',
      'open',
      'open',
      'replaced',
      'gone',
      'open',
      'replaced',
      'open',
    ]);
  });

  test('of any keys of metadata keeps the leaf', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
        fc.array(fc.boolean()),
        (json, gone) => {
          const before: LoggedRecord = { ...record, metadata: json as JsonMap };
          const kept = Object.entries(before.metadata).filter((_, at) => !gone[at]);
          const after: LoggedRecord = {
            ...before,
            metadata: Object.fromEntries(kept),
            erased: ['metadata.*'],
          };
          const { openings } = eraseSlots({ before, after, opening: { seed }, restSalt });
          expect(rebuildEntry(after, { openings }).leaf).toEqual(rebuildEntry(before, { seed }).leaf);
        },
      ),
    );
  });
});

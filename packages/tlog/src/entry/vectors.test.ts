import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectVectors } from '../testing.ts';
import { decodeText } from '../text.ts';
import { rootOf } from '../tree/compact-range.ts';
import { deriveSalts } from './commitment.ts';
import { decodeEntry } from './entry.ts';
import { eraseSlots } from './erase-slots.ts';
import { type ErasureItem, hashItem, manifestRoot } from './manifest.ts';
import { decodeOpenings, encodeOpenings, type OpeningSlot, type Openings } from './openings.ts';
import { type Opening, openingsOf, rebuildEntry } from './rebuild-entry.ts';
import type { LoggedRecord } from './record.ts';
import { restValue } from './rest.ts';
import { fixedSlots, slotsOf, slotValue } from './slots.ts';

const minimal: LoggedRecord = {
  id: '019756b0-0000-7000-8000-000000000001',
  recordedAt: new Date('2026-06-15T12:00:00.000Z'),
  action: 'user.logged_in',
  kind: 'auth',
  severity: 'info',
  outcome: 'success',
  visibility: 'internal',
  actor: { type: 'user' },
  tags: [],
  metadata: {},
};

const full: LoggedRecord = {
  id: '019756b0-0001-7000-8000-000000000002',
  recordedAt: new Date('2026-06-15T12:00:00.250Z'),
  action: 'invoice.voided',
  kind: 'data_change',
  operation: 'update',
  severity: 'warning',
  outcome: 'success',
  visibility: 'client',
  scopeId: 'brand-7',
  actor: { type: 'user', id: 'u-17', label: 'Ada Lovelace' },
  subject: { id: 'c-4' },
  target: { type: 'invoice', id: 'i-2026-0815', label: 'Invoice 815' },
  channel: 'web',
  source: 'billing',
  message: 'Ada voided invoice 815',
  reason: 'duplicate',
  context: {
    ip: '203.0.113.7',
    userAgent: 'Mozilla/5.0',
    requestId: 'req-1',
    sessionId: 's-1',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
  },
  tags: ['billing', 'ada'],
  metadata: { amount: 12.5, customer: { email: 'grace@example.com', name: 'Grace' }, plan: 'pro' },
  details: { changes: [{ field: 'status', from: 'open', to: 'void' }], resource: 'invoice' },
};

/** Keys in an order that is not theirs, numbers and texts that are easily written otherwise. */
const odd: LoggedRecord = {
  ...minimal,
  id: '019756b0-0002-7000-8000-000000000003',
  recordedAt: new Date('2026-06-15T12:00:00.500Z'),
  message: '\ufeffé\u{1f602}\u0000\n"\\/',
  source: '',
  tags: ['', '\u2028'],
  metadata: Object.fromEntries([
    ['\ufb33', 'after'],
    ['\u{1f602}', 'before'],
    ['__proto__', { z: 1, a: [] }],
    ['10', -0],
    ['9', 1e21],
    ['', 1e-7],
    ['text', '"\\/\u0000\u0008\t\n\u000c\r\u001f\u007f'],
    ['a'.repeat(19), 'x'.repeat(60)],
    ['number', 333333333.3333333],
    ['null', null],
  ]),
  details: {},
};

const own: LoggedRecord = {
  ...minimal,
  id: '019756b0-0003-7000-8000-000000000004',
  recordedAt: new Date('2026-06-16T12:00:00.000Z'),
  action: 'annals.manifest_sealed',
  kind: 'system',
  visibility: 'system',
  actor: { type: 'worker', id: 'annals' },
  target: { type: 'manifest', id: '019756b0-0003-7000-8000-000000000005' },
  own: true,
};

const records = { minimal, full, odd, own };
const seedOf = (name: keyof typeof records) =>
  new Uint8Array(16).fill(1 + Object.keys(records).indexOf(name)).with(15, 255);
const saltOf = (number: number) => new Uint8Array(16).fill(number).with(0, 254);

describe('our own vectors of entries are what the code makes, and hold', () => {
  test('records', async () => {
    const lines = Object.entries(records).map(([name, record]) => {
      const seed = seedOf(name as keyof typeof records);
      const { bytes, leaf } = rebuildEntry(record, { seed });
      const salts = deriveSalts(seed, slotsOf(record).length);
      const { commitments } = decodeEntry(bytes);
      const slots = slotsOf(record).map((slot, at) => ({
        number: slot.number,
        value: decodeText(slotValue(slot)),
        salt: salts[at],
        commitment: commitments[at],
      }));
      return { name, record, seed, slots, entry: bytes, leaf };
    });
    await expectVectors('records', [
      ...lines,
      { name: 'tree', leaves: lines.map(({ name }) => name), root: rootOf(lines.map(({ leaf }) => leaf)) },
    ]);
  });

  test('erasures', async () => {
    await expectVectors('erasures', [...erasures(), maskOnce()]);
  });

  test('manifests', async () => {
    const salt = saltOf(7);
    const erasureItems = erasures()
      .slice(-3)
      .map(({ openings, slots, rest }, at): ErasureItem => {
        const slotCount = decodeOpenings(openings).slots.length;
        return { epoch: 1 + (at >> 1), index: 255 + at, slotCount, slots, rest };
      });
    const ranges = [
      { epoch: 1, start: 0, end: 200 },
      { epoch: 1, start: 200, end: 256 },
      { epoch: 2, start: 2 ** 33, end: 2 ** 33 + 1 },
    ];
    await expectVectors('manifests', [
      ...erasureItems.map((item) => ({ kind: 'erasure', salt, item, hash: hashItem(salt, item) })),
      { kind: 'erasure', salt, root: manifestRoot({ kind: 'erasure', salt, items: erasureItems }) },
      ...ranges.map((item) => ({ kind: 'purge', salt, item, hash: hashItem(salt, item) })),
      { kind: 'purge', salt, root: manifestRoot({ kind: 'purge', salt, items: ranges }) },
      { kind: 'purge', salt, root: manifestRoot({ kind: 'purge', salt, items: [] }) },
    ]);
  });
});

test('the page of the format has the first of them, and every slot', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/format.md'), 'utf8');
  const digits = page.replaceAll(/\s/g, '');
  const { bytes, leaf } = rebuildEntry(minimal, { seed: seedOf('minimal') });
  for (const part of [bytes, leaf]) expect(digits).toContain(Buffer.from(part).toString('hex'));
  for (const [number, name] of fixedSlots.entries()) expect(page).toContain(`| ${number} | \`${name}\` |`);
});

/** The name of what goes, and what the record shows without it. */
type Change = readonly [name: string, part: Partial<LoggedRecord>];

/** The record with one slot after another erased, some in part, some twice. */
function erasures() {
  const { actor, target, context, metadata, details, ...others } = full;
  const whole: Change[] = [
    ...['id', 'label'].map((key): Change => [`actor.${key}`, { actor: { ...actor, [key]: undefined } }]),
    ['subject.id', { subject: undefined }],
    ...['id', 'label'].map(
      (key): Change => [`target.${key}`, { target: { type: 'invoice', ...target, [key]: undefined } }],
    ),
    ...['scopeId', 'channel', 'source', 'message', 'reason'].map(
      (key): Change => [key, { [key]: undefined }],
    ),
    ...Object.keys(context ?? {}).map(
      (key): Change => [`context.${key}`, { context: { ...context, [key]: undefined } }],
    ),
    ['tags', { tags: [] }],
    ...Object.keys(metadata).map(
      (key): Change => [
        'metadata.*',
        { metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== key)) },
      ],
    ),
    ...Object.keys(details ?? {}).map(
      (key): Change => [
        'details.*',
        { details: Object.fromEntries(Object.entries(details ?? {}).filter(([name]) => name !== key)) },
      ],
    ),
  ];
  expect(whole).toHaveLength(fixedSlots.length - 1 + 5);
  const inPart: Change[] = [
    ['actor.id', { actor: { ...actor, id: 'p-b1946ac92492d234' } }],
    ['tags', { tags: ['billing'] }],
    ['metadata.customer.email', { metadata: { ...metadata, customer: { email: null, name: 'Grace' } } }],
  ];
  const lines = [...whole, ...inPart].map(([name, part], at) =>
    eraseOnce({ before: full, after: { ...full, ...part, erased: [name] }, at }, { seed: seedOf('full') }),
  );
  const before: LoggedRecord = {
    ...others,
    actor: { type: 'user', id: 'p-b1946ac92492d234' },
    target,
    context: { requestId: 'req-1' },
    metadata: { customer: { email: null, name: 'Grace' }, plan: 'pro' },
    details,
    erased: ['actor.id', 'actor.label', 'context.ip', 'metadata.*', 'metadata.customer.email'],
  };
  const first = eraseOnce({ before: full, after: before, at: 100 }, { seed: seedOf('full') });
  const after: LoggedRecord = {
    ...before,
    metadata: { customer: { email: null, name: null } },
    details: {},
    erased: [...(before.erased ?? []), 'metadata.customer.name', 'metadata.*', 'details.*'],
  };
  const second = eraseOnce({ before, after, at: 101 }, { openings: decodeOpenings(first.openings) });
  return [...lines, first, second];
}

interface Step {
  readonly before: LoggedRecord;
  readonly after: LoggedRecord;
  readonly at: number;
}

function eraseOnce({ before, after, at }: Step, opening: Opening) {
  const erased = eraseSlots({ before, after, opening, restSalt: saltOf(at) });
  const openings = encodeOpenings(erased.openings);
  const rebuilt = rebuildEntry(after, { openings: decodeOpenings(openings) });
  expect(rebuilt.leaf).toEqual(rebuildEntry(full, { seed: seedOf('full') }).leaf);
  expect(rebuilt.erased).toEqual({ slots: erased.slots, rest: erased.rest });
  return {
    record: after,
    openings,
    states: statesOf(rebuilt.slots),
    slots: erased.slots,
    restValue: decodeText(restValue(after, rebuilt.slots)),
    rest: erased.rest,
    leaf: rebuilt.leaf,
  };
}

/** What a reader gets who may not see the actor's label. */
function maskOnce() {
  const record = { ...full, actor: { ...full.actor, label: '[masked]' } };
  const whole = openingsOf(full, seedOf('full'));
  const [, , commitment] = decodeEntry(rebuildEntry(full, { seed: seedOf('full') }).bytes).commitments;
  const slot = { state: 'withheld', commitment } as OpeningSlot;
  const openings: Openings = { ...whole, slots: whole.slots.with(2, slot) };
  const { leaf, slots } = rebuildEntry(record, { openings });
  expect(leaf).toEqual(rebuildEntry(full, { seed: seedOf('full') }).leaf);
  return { record, openings: encodeOpenings(openings), states: statesOf(slots), leaf };
}

function statesOf(slots: readonly { readonly number: number; readonly state: string }[]) {
  return Object.fromEntries(slots.map(({ number, state }) => [number, state]));
}

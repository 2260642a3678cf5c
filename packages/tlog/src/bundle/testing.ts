import { encodeBase64 } from '../base64.ts';
import { commitRecords } from '../entry/commit-records.ts';
import { eraseSlots } from '../entry/erase-slots.ts';
import type { ErasureItem, Manifest } from '../entry/manifest.ts';
import { manifestRoot } from '../entry/manifest.ts';
import { encodeOpenings } from '../entry/openings.ts';
import { formatCheckpoint } from '../note/checkpoint.ts';
import { signNote } from '../note/sign-note.ts';
import { signingKey } from '../note/signing-key.ts';
import { formatVerifierKey } from '../note/verifier-key.ts';
import { rootOf } from '../tree/compact-range.ts';
import { type BundleLine, formatBundleLine } from './lines.ts';
import type { BundledRecord } from './read-record.ts';

export const testNow = new Date('2026-06-15T12:00:00.000Z');

export const testKey = signingKey({
  name: 'log.example/t1',
  type: 'ed25519',
  seed: new Uint8Array(32).fill(1),
});

export const testPolicy = `log ${formatVerifierKey(testKey)}\nquorum none\n`;

export interface TestEntry {
  readonly record: BundledRecord;
  readonly seed: Uint8Array;
  readonly openings?: Uint8Array;
  readonly leaf: Uint8Array;
}

/** For tests: a log in memory, to make bundles of. */
export interface TestLog {
  readonly entries: TestEntry[];
  /** Append a record; returns its index. */
  append(change?: Partial<BundledRecord>): number;
  /** Erase the record's message, by a manifest that lists it; returns the item. */
  erase(index: number): ErasureItem;
  /** Append the record that seals a manifest. */
  seal(id: string, manifest: Manifest): number;
  checkpoint(size?: number): string;
  root(size?: number): Uint8Array;
}

export interface TestLogOptions {
  readonly epoch?: number;
  readonly origin?: string;
}

export function createTestLog({ epoch = 1, origin = testKey.name }: TestLogOptions = {}): TestLog {
  const entries: TestEntry[] = [];
  const root = (size = entries.length) => rootOf(entries.slice(0, size).map(({ leaf }) => leaf));
  const log: TestLog = {
    entries,
    root,
    append: (change = {}) => {
      const record = testRecord(entries.length, change);
      const seed = new Uint8Array(16).fill(entries.length);
      entries.push({ record, seed, leaf: commitRecords([record], seed) });
      return entries.length - 1;
    },
    erase: (index) => {
      const { record, seed, leaf } = entries[index] as TestEntry;
      const { message: _, ...kept } = record;
      const after = { ...kept, erased: ['message'] };
      const restSalt = new Uint8Array(16).fill(9);
      const { openings, slots, rest } = eraseSlots({ before: record, after, opening: { seed }, restSalt });
      entries[index] = { record: after, seed, leaf, openings: encodeOpenings(openings) };
      return { epoch, index, slotCount: openings.slots.length, slots, rest };
    },
    seal: (id, manifest) =>
      log.append({
        own: true,
        action: 'annals.manifest_sealed',
        target: { type: 'manifest', id },
        metadata: {
          kind: manifest.kind,
          items: manifest.items.length,
          root: encodeBase64(manifestRoot(manifest)),
        },
      }),
    checkpoint: (size = entries.length) =>
      signNote(formatCheckpoint({ origin, size, root: root(size), extensions: [] }), [
        signingKey({ name: origin, type: 'ed25519', seed: testKey.seed }),
      ]),
  };
  return log;
}

function testRecord(index: number, change: Partial<BundledRecord>): BundledRecord {
  const occurredAt = new Date(testNow.getTime() - 1_000_000 + index);
  const time = occurredAt.getTime().toString(16).padStart(12, '0');
  const tail = index.toString(16).padStart(12, '0');
  return {
    id: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${tail}`,
    tenantId: 't1',
    occurredAt,
    recordedAt: occurredAt,
    action: 'invoice.voided',
    kind: 'data_change',
    severity: 'info',
    outcome: 'success',
    visibility: 'internal',
    actor: { type: 'user', id: 'u1', label: 'Alice' },
    message: `voided ${index}`,
    tags: ['a'],
    metadata: { plan: 'pro', n: index },
    ...change,
  };
}

export interface TestBundle {
  /** One of each epoch, from the first. */
  readonly logs: readonly TestLog[];
  readonly manifests?: readonly { readonly id: string; readonly manifest: Manifest }[];
  /** Sizes of earlier checkpoints of the first log. */
  readonly checkpoints?: readonly number[];
  /** Indexes of the first log whose records have gone. */
  readonly without?: readonly number[];
}

const tileWidth = 256;

/** The lines of a bundle. */
export function bundleOf({ logs, manifests = [], checkpoints = [], without = [] }: TestBundle): BundleLine[] {
  const origins = logs.map((_, at) => (at === 0 ? testKey.name : `${testKey.name}/e${at + 1}`));
  const front: BundleLine[] = [
    {
      type: 'bundle',
      version: 1,
      tenantId: 't1',
      madeAt: testNow.toISOString(),
      logs: logs.map(({ entries }, at) => ({
        epoch: at + 1,
        origin: origins[at] as string,
        size: entries.length,
      })),
    },
    { type: 'policy', text: testPolicy },
    ...logs.flatMap((log, at) =>
      [...(at === 0 ? checkpoints : []), log.entries.length].map((size) => ({
        type: 'checkpoint' as const,
        epoch: at + 1,
        note: log.checkpoint(size),
      })),
    ),
    ...manifests.map(({ id, manifest }) => manifestLine(id, manifest)),
  ];
  const blocks = logs.flatMap((log, at) => blocksOf(log, at + 1, at === 0 ? without : []));
  const records = blocks.filter(({ type }) => type === 'record').length;
  return [...front, ...blocks, { type: 'end', records }];
}

function manifestLine(id: string, { kind, salt, items }: Manifest): BundleLine {
  return {
    type: 'manifest',
    id,
    kind,
    salt: encodeBase64(salt),
    sealed: true,
    openedAt: testNow.toISOString(),
    items: items.map((item) =>
      'slots' in item ? { ...item, slots: encodeBase64(item.slots), rest: encodeBase64(item.rest) } : item,
    ),
  };
}

function blocksOf({ entries }: TestLog, epoch: number, without: readonly number[]): BundleLine[] {
  return entries.flatMap(({ record: { own = false, ...record }, seed, openings }, index): BundleLine[] => {
    const tile = entries.slice(index, index + tileWidth).map(({ leaf }) => leaf);
    return [
      ...(index % tileWidth === 0
        ? [
            {
              type: 'tile' as const,
              epoch,
              index: index / tileWidth,
              hashes: encodeBase64(Buffer.concat(tile)),
            },
          ]
        : []),
      ...(without.includes(index)
        ? []
        : [
            {
              type: 'record' as const,
              epoch,
              index,
              own,
              record,
              ...(openings ? { openings: encodeBase64(openings) } : { seed: encodeBase64(seed) }),
            },
          ]),
    ];
  });
}

export function bytesOfLines(lines: readonly BundleLine[]): Uint8Array {
  return new TextEncoder().encode(lines.map(formatBundleLine).join(''));
}

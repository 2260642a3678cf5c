import { canonicalJson } from '../canonical-json.ts';
import { encodeText } from '../text.ts';
import type { JsonMap, LoggedRecord } from './record.ts';

/** What one commitment of an entry covers. */
export interface Slot {
  /** 0 to 17 for fields, 256 and up for the keys of metadata, 512 and up for those of details. */
  readonly number: number;
  /** `core`, a field as `actor.id`, `metadata` or `details`. */
  readonly name: string;
  /** Of metadata and details: the key, which stands inside the commitment with its value. */
  readonly key?: string;
  readonly value: Uint8Array;
}

type ReadText = (record: LoggedRecord) => string | undefined;

/** The fields that are text, each a slot of its own, by their number from 1. */
const textFields: readonly (readonly [name: string, read: ReadText])[] = [
  ['actor.id', (record) => record.actor.id],
  ['actor.label', (record) => record.actor.label],
  ['subject.id', (record) => record.subject?.id],
  ['target.id', (record) => record.target?.id],
  ['target.label', (record) => record.target?.label],
  ['scopeId', (record) => record.scopeId],
  ['channel', (record) => record.channel],
  ['source', (record) => record.source],
  ['message', (record) => record.message],
  ['reason', (record) => record.reason],
  ['context.ip', (record) => record.context?.ip],
  ['context.userAgent', (record) => record.context?.userAgent],
  ['context.requestId', (record) => record.context?.requestId],
  ['context.sessionId', (record) => record.context?.sessionId],
  ['context.traceId', (record) => record.context?.traceId],
  ['context.spanId', (record) => record.context?.spanId],
];

const tagsNumber = textFields.length + 1;

/** Slot number of the first key of metadata, and of details; each has at most 256 keys. */
export const firstKeySlot = { metadata: 256, details: 512 } as const;
export type JsonRoot = keyof typeof firstKeySlot;
export const jsonRoots = ['metadata', 'details'] as const;

/** Names of the fixed slots, by their number. */
export const fixedSlots: readonly string[] = ['core', ...textFields.map(([name]) => name), 'tags'];

/** The slots of a record that have a value, in the order of their numbers: that of an entry's commitments. */
export function slotsOf(record: LoggedRecord): Slot[] {
  const slots: Slot[] = [{ number: 0, name: 'core', value: coreValue(record) }];
  for (const [at, [name, read]] of textFields.entries()) {
    const text = read(record);
    if (text !== undefined) slots.push({ number: at + 1, name, value: encodeText(text) });
  }
  if (record.tags.length > 0) {
    slots.push({ number: tagsNumber, name: 'tags', value: canonicalJson(record.tags) });
  }
  for (const root of jsonRoots) slots.push(...keySlots(root, record[root] ?? {}));
  return slots;
}

/** What is never erased: vocabulary, in one slot. When it occurred stands in the id. */
function coreValue({ action, kind, operation, severity, outcome, visibility, ...record }: LoggedRecord) {
  return canonicalJson({
    action,
    actorType: record.actor.type,
    kind,
    ...(operation !== undefined && { operation }),
    outcome,
    severity,
    ...(record.target && { targetType: record.target.type }),
    visibility,
  });
}

/** In the order of the keys' UTF-16 code units, as RFC 8785 sorts them. */
function keySlots(root: JsonRoot, json: JsonMap): Slot[] {
  return Object.keys(json)
    .toSorted(byCodeUnits)
    .map((key, at) => ({
      number: firstKeySlot[root] + at,
      name: root,
      key,
      // From entries, not by a literal: a key may be called __proto__.
      value: canonicalJson(Object.fromEntries([[key, json[key]]])),
    }));
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

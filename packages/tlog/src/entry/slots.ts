import { canonicalJson } from '../canonical-json.ts';
import { encodeText } from '../text.ts';
import type { Json, JsonMap, LoggedRecord } from './record.ts';

/** What one commitment of an entry covers. */
export interface Slot {
  /** 0 to 17 for fields, 256 and up for the keys of metadata, 512 and up for those of details. */
  readonly number: number;
  /** `core`, a field as `actor.id`, `metadata` or `details`. */
  readonly name: string;
  /** Of metadata and details: the key, which stands inside the commitment with its value. */
  readonly key?: string;
  /** What the record holds here. */
  readonly content: Json;
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

/** Keys that metadata has at most, and details. */
export const slotKeysMax = 256;

/** Slot number of the first key of metadata, and of details. */
export const firstKeySlot = { metadata: 256, details: 512 } as const;
export type JsonRoot = keyof typeof firstKeySlot;

/** Names of the fixed slots, by their number. */
export const fixedSlots: readonly string[] = ['core', ...textFields.map(([name]) => name), 'tags'];

/** The slots of a record that have a value, in the order of their numbers: that of an entry's commitments. */
export function slotsOf(record: LoggedRecord): Slot[] {
  const slots: Slot[] = [{ number: 0, name: 'core', content: coreOf(record) }];
  for (const [at, [name, read]] of textFields.entries()) {
    const content = read(record);
    if (content !== undefined) slots.push({ number: at + 1, name, content });
  }
  if (record.tags.length > 0) slots.push({ number: tagsNumber, name: 'tags', content: record.tags });
  pushKeys(slots, 'metadata', record.metadata);
  if (record.details) pushKeys(slots, 'details', record.details);
  return slots;
}

/** What is never erased: vocabulary, in one slot, its keys in order. When it occurred stands in the id. */
function coreOf({
  action,
  kind,
  operation,
  severity,
  outcome,
  visibility,
  actor,
  target,
}: LoggedRecord): Json {
  return {
    action,
    actorType: actor.type,
    kind,
    ...(operation !== undefined && { operation }),
    outcome,
    severity,
    ...(target && { targetType: target.type }),
    visibility,
  };
}

/** In the order of the keys' UTF-16 code units, which is that of `toSorted` and of RFC 8785. */
function pushKeys(slots: Slot[], name: JsonRoot, json: JsonMap): void {
  for (const [at, key] of Object.keys(json).toSorted().entries()) {
    slots.push({ number: firstKeySlot[name] + at, name, key, content: json[key] as Json });
  }
}

/** Whether a slot holds a text as it is, and not JSON. */
export function isText({ number }: Pick<Slot, 'number'>): boolean {
  return number > 0 && number < tagsNumber;
}

/** The bytes that a slot commits to. Errors: `bad_text` and `bad_json` for what has no such bytes. */
export function slotValue(slot: Slot): Uint8Array {
  const { key, content } = slot;
  if (isText(slot)) return encodeText(content as string);
  // From entries, not by a literal: a key may be called __proto__.
  return canonicalJson(key === undefined ? content : Object.fromEntries([[key, content]]));
}
